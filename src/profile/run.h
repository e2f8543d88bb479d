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
    const struct run_process *processes;
    size_t process_count;
};
