// SPDX-License-Identifier: MIT
// What bounds our processes on this machine, according to the kernel: a process of each kind is
// started and inspected, without a target.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct in_force_process {
    const char *name;
    bool known; // false: it could not be started, and the other members are not known
    uint64_t capabilities; // effective
    bool no_new_privileges;
    int seccomp;   // as in /proc/PID/status: 2 is a filter
    int oom_score; // oom_score_adj
    uint64_t data_bytes; // limit of its data, UINT64_MAX: none
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
    bool short_slice; // whether the sampler has one
    long tick_ns;     // the resolution of timers: 1 with high-resolution ones
    uint64_t room;    // bytes that are free where we run, UINT64_MAX: not known
};

enum rc in_force_find(struct in_force *force, struct err *err) MUST_CHECK;
