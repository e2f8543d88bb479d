// SPDX-License-Identifier: MIT
// One sampler thread for each CPU, pinned there and woken by a timer of that CPU: its waking
// displaces whatever ran there, at that very instruction or at the end of the system call that it
// was in. So what it stops is found where it was, which no stop from another CPU can promise.
#pragma once

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/displaced.h"
#include "sample/look.h"
#include "sample/roster.h"

#define CLOCKS_MAX 4 // processes whose CPU clocks tell that nothing ran

struct cpu_sampler {
    struct cpu_samplers *all;
    int cpu;
    pthread_t thread;
    sem_t wake;        // posted: there may be something to do again
    _Atomic bool here; // it is on its CPU, or has not come so far as to say
    _Atomic bool excluded; // no thread of the targets may run on this CPU
    _Atomic uint64_t visit; // odd while it uses candidates
    // its own
    struct look look;
    struct displaced_search search;
    uint64_t random;    // state of xorshift64
    uint64_t clock_sum; // of the targets' CPU clocks at its last tick
    double cost_ns;     // that a tick took from threads, on average lately
    int64_t rested_at;  // when the CPU time of its ticks so far will be paid for by rest
};

// What the samplers share. The thread that reads is the only one that writes, but for active_until.
struct cpu_samplers {
    struct control *control;
    double rate, max_stop;    // Hz; share of a thread's time
    look_unwind *unwind_live; // NULL: copy stacks
    _Atomic(struct candidates *) candidates;
    clockid_t clocks[CLOCKS_MAX];
    _Atomic int clock_count; // 0: too many processes, or too dear to read
    _Atomic int64_t active_until; // CLOCK_MONOTONIC ns; afterwards no thread ran for a while
    _Atomic bool stop, asleep;    // asleep: the targets are left alone
    struct cpu_sampler **of_cpu;  // [cpu], NULL: none was started there
    int cpu_count;                // places in of_cpu
    int started;
    struct grave { // threads that nobody lists any more, until every sampler has looked away
        struct retired retired;
        uint64_t *visits; // of each sampler, when they were put here
    } grave;
};

// Takes all but control, rate, max_stop and unwind_live as its own; starts nothing.
void cpu_samplers_init(struct cpu_samplers *samplers);

// Starts one for each CPU that is online and has ticks, that this process may use and that has
// none. How many.
int cpu_samplers_start(struct cpu_samplers *samplers);

// Whether a sampler is on each CPU that is online and not excluded; then none of the targets'
// threads can run anywhere else.
bool cpu_samplers_cover(const struct cpu_samplers *samplers);
bool cpu_samplers_has(const struct cpu_samplers *samplers, int cpu);

// CPUs outside the set are excluded; NULL: none is.
void cpu_samplers_exclude(struct cpu_samplers *samplers, const cpu_set_t *all);

// Who is to be looked among from here on: takes `candidates` as its own.
void cpu_samplers_look_among(struct cpu_samplers *samplers, struct candidates *candidates);

// Frees what is retired as soon as no sampler can still be looking at it.
void cpu_samplers_bury(struct cpu_samplers *samplers, struct retired *retired);

// The targets are left alone (true: no new look begins) or not.
void cpu_samplers_pause(struct cpu_samplers *samplers, bool pause);

// Some thread runs: those that slept since none did wake up.
void cpu_samplers_rouse(struct cpu_samplers *samplers, int64_t now);

// Ends all. Threads that were asked to stop get half a second for it.
void cpu_samplers_stop(struct cpu_samplers *samplers);
