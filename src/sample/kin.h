// SPDX-License-Identifier: MIT
// CPU time of children that nobody could meet: they began and ended between two looks. The kernel
// adds up at each process what its children used that ended and that it waited for, and what theirs
// did. Of that, children that were met are known.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct roster;
struct watched;

struct kin {
    bool known;
    bool settled;         // the process has ended, and its parent was told what it had used
    pid_t parent;
    uint64_t children_ns; // of children that ended, when last read
    uint64_t base_ns;     // of that, what was before us
    uint64_t met_ns;      // of that, children which were in the roster
};

// For processes of the roster where that has not been done: counts from now on, or from their birth
// if they were born watched.
void kin_begin(struct roster *roster);

// To be called now and then: nothing can be read of a process that has ended and was waited for.
void kin_read(struct watched *process);

// Of processes that have ended, what they used is known at their parents from now on: the kernel
// adds it there. To be called before they leave the roster.
void kin_settle(struct roster *roster);

// Takes what was used up to now as used before us (after a pause).
void kin_rebase(struct roster *roster);

// CPU time of the process's children that were never met, ns. Correct to two clock ticks, below
// which it is 0; of children that their parent does not wait for nothing is known.
uint64_t kin_unmet(const struct watched *process);
