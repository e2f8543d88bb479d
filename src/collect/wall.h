// SPDX-License-Identifier: MIT
// Wall time: what each thread did with all of its time, as values of STATE_RUNNING, STATE_QUEUED
// and STATE_BLOCKED. As with CPU time (collect/weights.h) looks are counted, and then scaled: per
// thread and period, the looks that found a state share the time that the kernel reports for it.
//
//   A running look is a sample; a blocked one is a stack read in place.
//   Threads wait for a CPU both after they are woken and after they are preempted: the time in the
//   queue is shared by all looks of the period.
//   Time in a state that no look of the period found waits for the next one that does.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"

struct wall { // of one thread; zeroed before its first use
    struct seen_stack { // how often it was seen in one state
        uint32_t stack;
        enum profile_state state;
        uint32_t wait;  // number of what it waited for (profile/store.h); 0: that is not asked
        uint32_t waits; // how many waits the looks met
        uint32_t longs; // of these, that were met more than once
        uint64_t times;
    } *seen;
    size_t count, capacity;
    // Time, ns, that no look has taken yet. Blocked time may be below zero, because the kernel
    // charges a long run without a pause only when it ends.
    int64_t waiting[STATE_COUNT];
    bool has_slept;
    uint32_t asleep; // the stack of the newest blocked look; valid if has_slept
    uint32_t wait;   // what it waits for there
    bool met_again;  // by another look
};

// Frees what is kept of a thread that is gone, or whose wall time is no longer wanted. Time that no
// look has taken is lost.
void wall_fini(struct wall *wall);

// Counts a look that found the thread with this stack, in STATE_RUNNING or STATE_BLOCKED.
void wall_look(struct wall *wall, uint32_t stack, enum profile_state state);

// Counts a look that found the thread blocked there, waiting for that.
void wall_wait(struct wall *wall, uint32_t stack, uint32_t wait);

// Does the same for another look at the same wait, which saw more of the stack.
void wall_same_wait(struct wall *wall, uint32_t stack, uint32_t wait);

// Counts so many more looks that found the thread where it was last seen blocked.
void wall_again(struct wall *wall, uint32_t times);

struct wall_period { // ns
    uint64_t elapsed; // 0: not known; the other members are not read
    uint64_t running, queued; // parts of it; the rest is blocked
};

struct wall_sink { // is told the blocked time, ns, of each stack with a wait
    void (*blocked)(void *context, const struct seen_stack *seen, uint64_t ns);
    void *context;
};

// Shares the time of a period that has ended among its looks. sink: NULL: nobody is told.
void wall_share(struct wall *wall, struct profile *profile, uint32_t profile_thread,
                struct wall_period period, const struct wall_sink *sink);

// Forgets looks and times, but not where the thread sleeps.
void wall_reset(struct wall *wall);

// Replaces the numbers of stacks that compacting the profile has changed.
void wall_renumber(struct wall *wall, const uint32_t *stacks);
