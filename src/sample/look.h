// SPDX-License-Identifier: MIT
// Samples threads that run: stops one, copies it and lets it go (stops.h, hold.h), within its stop
// budget. Each thread of the sampler process has a look of its own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/capture.h"
#include "sample/control.h"
#include "sample/stops.h"
#include "sample/thread.h"

// Unwinds a held thread (--unwinder live): fills pcs, leaf first, and says how many and why it
// ended.
typedef size_t look_unwind(pid_t tid, uint64_t *pcs, size_t most, uint32_t *end);

struct look {
    struct control *control;
    struct stops stops;       // who was asked
    look_unwind *unwind_live; // NULL: copy the stack
    double max_stop;          // share of a thread's time that it may be held or displaced
    int64_t woke_at;          // CLOCK_MONOTONIC ns, when this sampler came onto its CPU
    int64_t until;            // CLOCK_MONOTONIC ns: what is to be done next must not wait longer
    double left;              // of the stop budget of the thread that was to be asked last, <= 1
    bool elsewhere;           // stops threads that run on other CPUs
    struct capture *copy;     // of the thread that is held; used again and again, so in the caches
    size_t copy_warm;         // bytes of its stack that are certainly there
    struct lock_plan locks;   // words that its capture brings along
};

// Fills in the rest beside the options (unwind_live and max_stop).
void look_init(struct look *look, struct control *control, int number);
void look_fini(struct look *look);

// Waits until the memory of a thread's process can be read, so that nobody has to wait for that
// while the thread is held. Returns true if it took a while: what was known of the thread is old.
bool look_had_to_wait(struct look *look, const struct thread *thread);

// Asks a claimed thread to stop that was on its CPU at claim.moment; look_await takes the sample.
// `chance` is a random number of (0, 1], by which the sample is left out when the thread's stop
// budget runs short. Returns false when it was not asked, and is not claimed any more.
bool look_ask(struct look *look, struct thread *thread, double chance);

// Reads the stack of a thread that sleeps without stopping it; `before` was read before it was seen
// asleep. Returns false when it has run meanwhile, or there was no room for the copy. flags: more
// for the capture.
bool look_in_place(struct look *look, struct thread *thread, const struct schedstat *before,
                   uint32_t flags);

// Sleeps until the threads that were asked have stopped, at most until `until` (CLOCK_MONOTONIC
// ns), and takes their samples.
void look_await(struct look *look, int64_t until);
