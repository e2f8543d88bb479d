// SPDX-License-Identifier: MIT
// The probable holder of a lock that names no owner: the thread that has the lock's address on its
// stack, as a guard or an argument of a function that has not returned.
#pragma once

#include "wait/finder.h"

struct holder {
    size_t thread; // WAIT_NOBODY: none
    size_t frame;  // WAIT_NOBODY: not known
    size_t rivals; // other threads that have the address too, those that wait for conditions apart
};

struct holders;

// Looks for finder->locks[].scanned in all stacks, each of which is gone through once. Only whole
// aligned words count; nobody who waits for the same lock. Of several threads the one whose frame
// is innermost; one that waits for a condition (which gives its lock back, and keeps the address)
// only if there is no other. Of two alike neither: a guess that may be wrong half of the time is
// none.
struct holders *holders_new(const struct finder *finder);
void holders_free(struct holders *holders);

struct holder holders_get(const struct holders *holders, uint64_t address);
