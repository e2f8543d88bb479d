// SPDX-License-Identifier: MIT
// One thread that runs is stopped, copied and let go. Between stop and release there are registers,
// one copy of the stack into memory that exists and, of a thread inside a system call, one read of
// schedstat: nothing is unwound, named, allocated, opened or written there.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sample/capture.h"
#include "sample/roster.h"

#define INTERRUPTED_MAX 512

// Unwinds a held thread (--unwinder live): fills pcs, leaf first, and says how many and why it
// ended.
typedef size_t look_unwind(pid_t tid, uint64_t *pcs, size_t most, uint32_t *end);

struct look {
    struct roster *roster;
    struct control *control;
    look_unwind *unwind_live; // NULL: copy the stack
    double max_stop;          // share of a thread's time that it may be held
    int64_t round_began;      // CLOCK_MONOTONIC ns
    struct capture *copy;     // of the thread that is held; used again and again, so in the caches
    struct thread *interrupted[INTERRUPTED_MAX]; // asked to stop, not stopped yet: each waits for
    size_t interrupted_count;                    // a CPU or is in an uninterruptible sleep
};

// Fills in the rest beside the options (unwind_live and max_stop).
void look_init(struct look *look, struct roster *roster, struct control *control);

// The thread was seen running, thread->at_request was read just before that: takes a sample of it,
// now or, if it has to wait for a CPU first, when look_collect finds it. `chance` is a random
// number of (0, 1], by which it is left out when the thread's stop budget runs short.
void look_at(struct look *look, struct thread *thread, double chance);

// The thread sleeps, `before` was read before that was seen: its stack is read where it is, and it
// is not stopped. False: it has run meanwhile, or there was no room for the copy.
bool look_in_place(struct look *look, struct thread *thread, const struct schedstat *before);

// Deals with the interrupted threads that have stopped by now; none of them had at `since`,
// CLOCK_MONOTONIC ns.
void look_collect(struct look *look, int64_t since);
