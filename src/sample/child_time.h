// SPDX-License-Identifier: MIT
// CPU time of children that nobody could watch: they began and ended between two looks. The kernel
// adds up at each process what its children used that ended and that it waited for, and what theirs
// did. What watched children used of that is known.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct roster;
struct watched;

struct child_time {
    bool known;
    bool accounted;      // the process has ended, and its parent was told what it had used
    pid_t parent;
    uint64_t ended_ns;   // of children that ended, when last read
    uint64_t base_ns;    // of that, what was before us
    uint64_t watched_ns; // of that, children which were in the roster
};

// For processes of the roster where that has not been done: counts from now on, or from their birth
// if they were born watched.
void child_time_begin(struct roster *roster);

// This is called now and then: nothing can be read of a process that has ended and was waited for.
void child_time_read(struct watched *process);

// What processes that have ended used is known at their parents from now on: the kernel adds it
// there. This is called before they leave the roster.
void child_time_account(struct roster *roster);

// Takes what was used up to now as used before us (after a pause).
void child_time_rebase(struct roster *roster);

// CPU time of the process's children that were never watched, ns. It is correct to two clock ticks,
// below which it is 0; of children that their parent does not wait for nothing is known.
uint64_t child_time_unwatched(const struct watched *process);
