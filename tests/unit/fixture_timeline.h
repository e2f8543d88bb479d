// SPDX-License-Identifier: MIT
// Timelines made by hand and by chance.
#pragma once

#include "profile/timeline.h"

// 400 ms of six threads on two CPUs, of which all is known (tests/peers/test_trace_tool.py).
struct timeline *fixture_timeline_scene(void);

enum fixture_timeline {
    TIMELINE_SWITCHES, // as the kernel's switches would give it: CPUs run one thread at a time
    TIMELINE_DAMAGED,  // the same with overlaps, gaps, empty states, odd CPUs and wakers
    TIMELINE_TICKS,    // what ticks of 10 ms give: no CPUs
};

// About that many events of at least one thread and CPU, in order.
struct timeline *fixture_timeline_random(enum fixture_timeline kind, size_t events,
                                         uint32_t threads, uint32_t cpus, uint64_t seed);
