// SPDX-License-Identifier: MIT
// The wait-for graph over the threads of a process: who waits for whom, and what follows from it.
#pragma once

#include "wait/wait.h"

enum verdict_kind {
    VERDICT_NONE,     // no thread waits for another
    VERDICT_CHAIN,    // a chain whose last thread waits for no thread of this process
    VERDICT_DEADLOCK, // a circle in which every owner is certain and no wait has a timeout
    VERDICT_PROBABLE_DEADLOCK, // a circle with a probable owner or a wait with a timeout
};

struct verdict {
    enum verdict_kind kind;
    size_t *chain; // indices of threads, each waiting for the next; in a deadlock
    size_t count;  // the last one waits for the first. Owned
    size_t waiting; // for a chain: how many threads wait for its last one, directly or not
};

// Finds all deadlocks, the certain ones first. If there are none, finds the longest chain (among
// equals, the one with most waiting threads), or nothing. Returns how many verdicts there are;
// verdicts_free frees *verdicts.
size_t deadlock_find(const struct wait *waits, size_t count, struct verdict **verdicts);
void verdicts_free(struct verdict *verdicts, size_t count);
