// SPDX-License-Identifier: MIT
// Timelines for the tests of their writers: a small one that is frozen, and large ones at random.
#pragma once

#include "profile/timeline.h"

// A server that hands a job to a worker, with names that are hard to write. The expected files in
// tests/golden/ hold what is made of it. The caller frees it.
struct timeline *fixture_timeline(void);

// Threads that run in turn on CPUs, wait for locks, and wake each other: at any time each thread
// has one state, and each CPU one thread. The same for the same numbers. The caller frees it.
struct timeline *fixture_timeline_random(uint64_t seed, size_t threads, size_t cpus,
                                         size_t events);
