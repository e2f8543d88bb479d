// SPDX-License-Identifier: MIT
// Wall time: what each thread did with all of its time, as values of STATE_RUNNING, STATE_QUEUED
// and STATE_BLOCKED. As with CPU time (collect/weights.h) looks are counted, and then scaled: per
// thread and period, what the kernel says of each state is shared by the looks that saw it.
//
//   A running look is a sample; a blocked one is a stack read in place.
//   Threads wait for a CPU both after they are woken and after they are preempted: time in the
//   queue is shared by all looks of the period.
//   Time in a state that no look of the period saw waits for the next one that does.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"

struct wall { // of a thread. Zeroed before its first use
    struct seen_stack { // by looks, in one state
        uint32_t stack;
        enum profile_state state;
        uint64_t times;
    } *seen;
    size_t count, capacity;
    // ns that no look has taken yet. Of blocked time it may be below zero: what a thread did for
    // long without a pause, the kernel charges when it ends.
    int64_t waiting[STATE_COUNT];
    bool has_slept;
    uint32_t asleep; // the stack of the newest blocked look, if it has
};

// The thread is gone, or nobody wants to know any more: what still waits is nobody's.
void wall_fini(struct wall *wall);

// The thread was seen with this stack, STATE_RUNNING or STATE_BLOCKED.
void wall_look(struct wall *wall, uint32_t stack, enum profile_state state);

// The thread was seen so many times more where it was last seen blocked.
void wall_again(struct wall *wall, uint32_t times);

struct wall_period { // ns
    uint64_t elapsed; // 0: not known, and the others are not looked at
    uint64_t running, queued; // of it; the rest is blocked
};

// A period of the thread is over.
void wall_share(struct wall *wall, struct profile *profile, uint32_t profile_thread,
                struct wall_period period);

// Forgets looks and times; where the thread sleeps stays known.
void wall_reset(struct wall *wall);

// The stacks of the profile got new numbers.
void wall_renumber(struct wall *wall, const uint32_t *stacks);
