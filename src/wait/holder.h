// SPDX-License-Identifier: MIT
// Guesses the holder of a lock that names no owner: the thread that has the lock's address on its
// stack, as a guard or an argument of a function that has not returned.
#pragma once

#include "wait/finder.h"

struct holder {
    size_t thread; // WAIT_NOBODY: none was found
    size_t frame;  // WAIT_NOBODY: it is not known
    size_t rivals; // how many other threads have the address too; see below
};

struct holders;

// Looks for finder->locks[].scanned in all stacks, reading each stack once. Only whole aligned
// words count, and only threads that do not wait for that lock. Of several threads it takes the one
// that has the address in its innermost frame. A thread that waits for a condition has released its
// lock but still has the address, so it is taken only if there is no other, and is no rival. Of two
// threads that are equally likely none is taken: the guess would be wrong half of the time.
struct holders *holders_new(const struct finder *finder);
void holders_free(struct holders *holders);

struct holder holders_get(const struct holders *holders, uint64_t address);
