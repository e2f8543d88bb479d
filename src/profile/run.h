// SPDX-License-Identifier: MIT
// A run describes what is known beside the stacks: when it was, how fast it sampled, how good it is
// and what it did to the target.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "profile/types.h"
#include "sample/counters.h"

enum run_end { RUN_DURATION, RUN_INTERRUPTED, RUN_TARGET_ENDED };

struct run_process {
    pid_t pid;
    char comm[64]; // raw bytes
    bool ended;    // it was gone before we were
    bool denied;   // it may not be looked at any more: it executed a program that may do more
    unsigned execs;
};

struct run_trace { // of a timeline: how it is known what threads did
    uint64_t threads, exact; // all of them, and those whose switches the kernel told
    int refused;             // the error number by which it told none; 0: it did not refuse
    uint64_t without;        // threads for whose switches descriptors were short
    char unlisted[64];       // some of these: "worker 4711, worker 4712"; raw bytes
    uint64_t lost;           // records that the kernel had no room for
    uint64_t unplaced;       // looks of which no event was found
    uint64_t dropped;        // the oldest events, which gave way to new ones
    int64_t since;           // ns from the beginning: from then on it is whole
};

struct run {
    enum profile_kind type;
    int64_t start_wall;  // ns since 1970 UTC
    int64_t duration;    // ns, as sampled
    enum run_end end;
    double rate;         // Hz, asked for
    double achieved;     // Hz, rounds made / time
    double held_share;   // of the most-held thread's time, 0..1: held or displaced
    uint64_t counts[COUNTER_COUNT];
    int64_t least_block; // ns: waits that are shorter on average are left out of block
    bool idle_waits;     // waits for work are not left out of block
    struct run_trace trace; // of PROFILE_TRACE
    const struct run_process *processes;
    size_t process_count;
};
