// SPDX-License-Identifier: MIT
// What bounds our processes here, as the kernel says: all kinds of them are started for it and
// looked at. No target is.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct in_force_process {
    const char *name;
    bool known; // else it could not be started, and nothing else is known
    uint64_t capabilities; // effective
    bool no_new_privileges;
    int seccomp;   // as in /proc/PID/status: 2 is a filter
    int oom_score; // oom_score_adj
    uint64_t data_bytes; // that it may have at most, UINT64_MAX: no bound
    uint64_t core_bytes;
    int policy, nice; // SCHED_*
};

enum in_force_number {
    IN_FORCE_MAIN,
    IN_FORCE_SAMPLER,
    IN_FORCE_UNWIND,
    IN_FORCE_HEADERS,
    IN_FORCE_NAMES,
    IN_FORCE_COUNT
};

struct in_force {
    struct in_force_process processes[IN_FORCE_COUNT];
    bool short_slice; // the sampler has one
    long tick_ns;     // the resolution of timers: 1 with high-resolution ones
    uint64_t room;    // bytes free where we run, UINT64_MAX: not known
};

enum rc in_force_find(struct in_force *force, struct err *err) MUST_CHECK;
