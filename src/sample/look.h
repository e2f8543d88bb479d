// SPDX-License-Identifier: MIT
// One thread that runs is stopped, copied and let go (hold.h), within its stop budget. Each thread
// of the sampler process has a look of its own.
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
    int64_t cost_ns;          // all that its looks took from threads so far
    bool refused;             // the budget of the thread that was looked at last was spent
    bool elsewhere;           // stops threads that run on other CPUs
    struct capture *copy;     // of the thread that is held; used again and again, so in the caches
    size_t copy_warm;         // bytes of its stack that are certainly there
};

// Fills in the rest beside the options (unwind_live and max_stop).
void look_init(struct look *look, struct control *control, int number);
void look_fini(struct look *look);

// Waits until the memory of a thread's process can be read: else that would be waited for while the
// thread is held. True if it took a while: what was known of the thread is old now.
bool look_had_to_wait(struct look *look, const struct thread *thread);

// The thread is claimed and was on its CPU at claim.moment: asks it to stop, look_await takes the
// sample. `chance` is a random number of (0, 1], by which it is left out when the thread's stop
// budget runs short. False: it was not asked, and is not claimed any more.
bool look_ask(struct look *look, struct thread *thread, double chance);

// The thread sleeps, `before` was read before that was seen: its stack is read where it is, and it
// is not stopped. False: it has run meanwhile, or there was no room for the copy. flags: more for
// the capture.
bool look_in_place(struct look *look, struct thread *thread, const struct schedstat *before,
                   uint32_t flags);

// Until none is pending any more, or `until`, CLOCK_MONOTONIC ns: waits for the pending threads and
// takes their samples. Asleep if there is nothing to do.
void look_await(struct look *look, int64_t until);
