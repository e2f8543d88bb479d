// SPDX-License-Identifier: MIT
// A sampler thread, pinned to its CPU and woken by a timer of that CPU: its waking displaces
// whatever ran there, at that very instruction or at the end of the system call that it was in. So
// what it stops is found where it was, which no stop from another CPU can promise.
#pragma once

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "sample/displaced.h"
#include "sample/look.h"

#define CLOCKS_MAX 4 // processes whose CPU clocks tell that nothing ran

// What all samplers are told. The thread that reads is the only one that writes, but for
// active_until.
struct cpu_orders {
    struct control *control;
    double rate, max_stop;    // Hz; share of a thread's time
    look_unwind *unwind_live; // NULL: copy stacks
    _Atomic(struct candidates *) candidates;
    clockid_t clocks[CLOCKS_MAX];
    _Atomic int clock_count; // 0: too many processes, or too dear to read
    _Atomic int64_t active_until; // CLOCK_MONOTONIC ns; afterwards no thread ran for a while
    _Atomic bool stop, asleep;    // asleep: the targets are left alone
    int started;                  // how many samplers
};

struct cpu_sampler {
    struct cpu_orders *orders;
    int cpu;
    pthread_t thread;
    sem_t wake;        // posted: there may be something to do again
    _Atomic bool here; // it is on its CPU, or has not begun yet
    _Atomic bool excluded; // no thread of the targets may run on this CPU
    _Atomic uint64_t visit; // odd while it uses candidates
    // its own
    struct look look;
    struct displaced_search search;
    uint64_t random;    // state of base/random.h
    uint64_t clock_sum; // of the targets' CPU clocks at its last tick
    double doublings;   // of the time between ticks, for threads whose stop budget runs short
    int64_t rested_at;  // when the CPU time of its ticks so far will be paid for by rest
};

// Starts a sampler. Returns NULL when this process may not use that CPU, or have one thread more.
struct cpu_sampler *cpu_sampler_start(struct cpu_orders *orders, int cpu);

// Waits for the end of a sampler, whose orders say `stop`.
void cpu_sampler_join(struct cpu_sampler *sampler);

// Says that some thread runs: samplers tick at the full rate again.
void cpu_sampler_rouse(struct cpu_orders *orders, int64_t now);
