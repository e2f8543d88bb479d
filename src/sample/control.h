// SPDX-License-Identifier: MIT
// The memory that the main process and the sampler process share. Counters have one writer.
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/histogram.h"
#include "sample/handover.h"
#include "sample/ring.h"

#define STACK_HINTS 4096u
#define STACK_FIRST (64u << 10) // bytes copied of a thread of which nothing is known yet
#define STACK_MAX (1u << 20)    // and at most
#define HANGS_MAX 64

// A thread of the sampler process; one writer. Ticks go on when a new sampler takes over.
struct sign_of_life {
    _Alignas(64) _Atomic int64_t busy_since; // CLOCK_MONOTONIC ns of the last sign while a thread
                                             // is or may be held; 0 while none is
    _Atomic pid_t busy_with;                 // that thread
    _Atomic uint64_t ticks, late; // times that its timer expired; of these, served late
};

struct control {
    // main -> sampler
    _Atomic int stop;   // 1: finish
    _Atomic int paused; // 1: leave the targets alone
    _Atomic int idle;   // tell also what threads do while they sleep; 0: no, else a number that is
                        // another one each time that this begins
    _Atomic uint32_t slowdown; // the rate is one part in so many of what was asked for; 0: all
    _Atomic uint32_t stack_hint[STACK_HINTS]; // [thread % STACK_HINTS] bytes to copy, 0: default
    _Atomic uint64_t stack_root[STACK_HINTS]; // [same] address up to which to copy, 0: not known
    _Atomic uint32_t stack_reach[STACK_HINTS]; // [same] from at most so many bytes below it
    // [thread % STACK_HINTS] where, in the frame of a signal handler on an alternate stack or of a
    // call on another one, the stack pointer of the stack that was left lies; 0: this thread was
    // not met in one. Not 0: there lies a pointer, and so many bytes behind that it lies.
    _Atomic uint64_t second_at[STACK_HINTS];
    _Atomic int32_t second_hop[STACK_HINTS];
    struct hang { // threads on which a sampler hung, and how often; written while none runs
        pid_t tid;
        unsigned times;
    } hangs[HANGS_MAX];
    unsigned hang_count;
    struct handover handover; // from one sampler to the next
    int wake_fd; // eventfd: there is something in the ring that should not wait

    // sampler -> watchdog; the first is of the thread that reads, a census has no other
    struct sign_of_life *lives;
    unsigned life_count;

    // sampler -> main; they go on when a new sampler takes over
    _Atomic int ended;          // 1: every target is gone
    _Atomic uint64_t stops, failed, queued, dropped, repaired;
    _Atomic uint64_t elsewhere; // samples of threads that were stopped from another CPU
    _Atomic uint64_t busy;      // ticks at which another sampler was at work on a thread
    _Atomic uint64_t unfound;   // ticks at which the search for who was displaced met its bound
    _Atomic int64_t behind;     // ns by which the last tick was served late
    _Atomic int realtime, short_slice, rate_lowered;
    _Atomic uint64_t threads_seen;
    _Atomic uint64_t threads_known; // of these, to the sampler that runs
    _Atomic uint32_t next_thread, next_process; // numbers
    struct histogram held;      // ns of each hold
    struct histogram displaced; // ns that a thread was off its CPU for our looking at it, each time

    struct ring ring;
};
