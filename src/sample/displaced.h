// SPDX-License-Identifier: MIT
// Finds the thread of the targets that was on this CPU when the sampler of this CPU came onto it.
// When one task leaves a CPU and another comes, the kernel dates both by the same reading of that
// CPU's clock: the beginning of our turn (exec_start) is the end of the turn of the displaced
// thread, to the nanosecond. The same holds for a thread that went to sleep by itself, if nobody
// was on the CPU in between.
#pragma once

#include <stdint.h>

#include "sample/candidates.h"
#include "sample/thread.h"

enum displaced {
    DISPLACED_NONE,    // somebody else's thread, or none
    DISPLACED_RUNNING, // it waits for its CPU
    DISPLACED_ASLEEP,  // it went to sleep just before
    DISPLACED_UNFOUND, // the search met its bound
    DISPLACED_BUSY,    // another sampler was at work on a thread that it could have been
    DISPLACED_WAITED,  // it kept us waiting: what it did when we were woken is not known
};

#define DISPLACED_PROOFS 12 // readings of sched in half a search at most, 4 us each

struct displaced_search {
    int by;       // as which candidates are claimed
    int cpu;      // ours
    bool soon;    // our date is read first: of a thread that is not real-time the kernel changes it
                  // whenever somebody else is woken on this CPU
    int own_fd;   // sched of the calling thread, -1: not readable, then state and CPU have to do
    int own_stat_fd;       // its schedstat, when `soon`; else -1
    uint64_t own_wait;     // ns that it had waited for CPUs when it went to sleep
    uint64_t least_wait;   // ns that it takes to come onto its CPU
    bool waited;           // it did not come as soon as it was woken
    int64_t woke_at;       // CLOCK_MONOTONIC ns, when the calling thread came onto its CPU
    uint64_t own_start;    // our exec_start, 0: not read in this search
    struct displaced_moved { // threads that have run since they were read last, the best first
        struct thread *thread;
        uint64_t rank;
        bool here, waits; // it was seen on this CPU, and waiting for it
    } moved[DISPLACED_PROOFS];
    size_t moved_count;
    size_t next_other;      // among the candidates that are not read in every search
    bool busy, bounded;
    bool single; // one candidate has run since it was read last, and no other is on this CPU
};

void displaced_init(struct displaced_search *search, int by, int cpu, bool soon);
void displaced_fini(struct displaced_search *search);

// To be called before the calling thread sleeps until its next search.
void displaced_rest(struct displaced_search *search);

// Searches the candidates. The thread that was found (*found) is claimed, and its claim.before and
// .moment are filled in.
enum displaced displaced_find(struct displaced_search *search, const struct candidates *candidates,
                              int64_t woke_at, struct thread **found);
