// SPDX-License-Identifier: MIT
// Waits for work: a worker of a pool that waits for the next job, an event loop for the next event.
// They delay nothing, and would hide the waits that do.
//
// A thread waits for work if all of its work is done between such waits. So there is one function
// from which both lead: the wait, and (nearly) all that the thread was seen to do on a CPU. A wait
// that delays work is deeper: not all work is done below the function that leads to it. For a
// condition variable, a semaphore and the like that does not suffice, because a thread may wait so
// for an answer, too: either other threads wait at the same place, as in a pool, or nobody has
// woken it for long. Below the loop of an interpreter functions tell nothing of the program: there
// only the last counts.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profile/store.h"

struct idle_source { // all borrowed
    const struct profile *profile;
    const char *(*function)(const void *context, uint32_t location); // its name; NULL: not known
    const void *context;
};

// Sets idle[value] for the values of STATE_DELAYED that are waits for work. It takes time in
// proportion to the stacks of the profile and the frames of its values.
void idle_waits_find(const struct idle_source *source, bool *idle);
