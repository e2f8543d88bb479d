// SPDX-License-Identifier: MIT
// The memory that the main process and the sampler process share.
#pragma once

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/histogram.h"
#include "sample/counters.h"
#include "sample/handover.h"
#include "sample/lock_watch.h"
#include "sample/ring.h"
#include "sample/stack_capture.h"

#define HANGS_MAX 64

// A thread of the sampler process; one writer. Ticks go on when a new sampler takes over.
struct sign_of_life {
    _Alignas(64) _Atomic int64_t busy_since; // CLOCK_MONOTONIC ns of the last sign while a thread
                                             // is or may be held; 0 while none is
    _Atomic pid_t busy_with;                 // that thread
    _Atomic int only_reads;       // 1: busy, but nobody can be held
    _Atomic uint64_t ticks, late; // times that its timer expired; of these, served late
};

struct control {
    struct {
        _Atomic int wanted; // main -> sampler, 1: threads that sleep are still read where they do
        _Atomic int is_so;  // sampler -> main
    } stop_nobody;

    // main -> sampler
    _Atomic int stop;   // 1: finish
    _Atomic int paused; // 1: leave the targets alone
    _Atomic int idle;   // not 0: threads that sleep are reported too; each time that this begins
                        // it is another number
    _Atomic int64_t prompt_until; // CLOCK_MONOTONIC ns: samples up to then are read at once, for
                                  // the mappings change
    _Atomic uint32_t slowdown; // the rate is one part in so many of what was asked for; 0: all
    struct stack_hints stacks;
    struct lock_watch locks;
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
    struct { // CLOCK_MONOTONIC ns
        _Atomic int64_t began;    // the first one began to look; 0: not yet
        _Atomic int64_t reported; // all threads have been read up to then
        _Atomic int64_t second;   // all of each second up to then has been told
    } at;
    _Atomic uint64_t counts[COUNTER_COUNT];
    _Atomic int64_t behind;     // ns by which the last tick was served late
    _Atomic uint64_t threads_known; // of the threads seen, to the sampler that runs
    _Atomic uint32_t next_thread, next_process; // numbers
    struct histogram held;      // ns of each hold
    struct histogram displaced; // ns that a thread was off its CPU for our looking at it, each time

    struct ring ring;
};

// Relaxed: nobody concludes from a counter that another member has been written.
static inline void control_count(struct control *control, enum counter counter, uint64_t times)
{
    atomic_fetch_add_explicit(&control->counts[counter], times, memory_order_relaxed);
}
