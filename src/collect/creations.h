// SPDX-License-Identifier: MIT
// Who starts threads while we watch: the stack of each creator, exact, by events of the kernel
// (collect/creation_events.h). Nothing is stopped, and nothing written into the target. Where the
// kernel gives us no such events, the facts say so and the profile is empty.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/plain.h"

// Stands for the stack of a creator that is not known.
#define CREATOR_NOT_SEEN "[creator not seen]"

struct creations;

struct creations_facts {
    bool watched;     // births are recorded
    bool stacks;      // and the stacks of the creators
    int error;        // errno of what could not be had, 0: none
    bool unfound;     // no system call that starts threads was found in the code of a process
    uint64_t seen;    // threads that were born
    uint64_t unknown; // those among them whose creator's stack is not known
    uint64_t cut;     // creators' stacks that do not reach their root
    uint64_t lost;    // records that the kernel had no room for
    size_t without;   // threads that are not watched, because there are too many
    unsigned execs;   // times that a process executed another program
};

// Begins to watch these processes, with a thread of its own. There always is a result. It watches
// no process that they start.
struct creations *creations_start(const pid_t *pids, size_t count);

// Ends it: the targets are free of events when this returns. It may be called again.
void creations_stop(struct creations *creations);
void creations_free(struct creations *creations);

// These are for one that was stopped.
struct creations_facts creations_facts(const struct creations *creations);

// Returns whether a thread of that number was born before that moment (CLOCK_MONOTONIC ns), while
// it was watched.
bool creations_has_seen(const struct creations *creations, pid_t tid, int64_t before);

// Returns a profile of type threadcreate, with the labels of the creators. The caller frees it.
struct plain_profile *creations_profile(const struct creations *creations);
