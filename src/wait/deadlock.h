// SPDX-License-Identifier: MIT
// The wait-for graph over the threads of a process: who waits for whom, and what follows.
#pragma once

#include "wait/wait.h"

enum verdict_kind {
    VERDICT_NONE,     // nobody waits for a thread
    VERDICT_CHAIN,    // somebody does; the last of the chain is held up by nobody here
    VERDICT_DEADLOCK, // the chain closes, and every edge of it is certain
    VERDICT_PROBABLE_DEADLOCK, // it closes over probable owners, or waits that have a timeout
};

struct verdict {
    enum verdict_kind kind;
    size_t *chain; // indices of threads, each waiting for the next; of a deadlock the first one is
    size_t count;  // not repeated at the end. Owned
    size_t waiting; // chain: how many threads wait for its last one, directly or not
};

// All deadlocks, the certain ones first, or the longest chain (of equal ones that with most
// waiting), or nothing. *verdicts is freed with verdicts_free; its count is returned.
size_t deadlock_find(const struct wait *waits, size_t count, struct verdict **verdicts);
void verdicts_free(struct verdict *verdicts, size_t count);
