// SPDX-License-Identifier: MIT
// What Go's runtime counts of its collector, in runtime.memstats and runtime.gcController: what
// runtime.ReadMemStats tells a program of itself. The structures differ from release to release;
// they are known by sums that agree.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/target.h"

#define GO_PAUSES 256

struct go_collector {
    const char *why;      // why nothing of it is known; NULL: it is
    uint64_t count;       // collections
    uint64_t forced;      // of them, those that the program asked for
    uint64_t pause_total; // ns
    uint64_t last;        // when the last one ended, ns since 1970 UTC; 0: there was none
    double cpu_fraction;  // of the CPU time that there was for the program since it started
    uint64_t pauses[GO_PAUSES]; // ns, the newest first
    size_t pause_count;
    const char *pace_why;   // why the following is not known; NULL: it is
    uint64_t total_alloc;   // bytes of all objects so far, as of the last span that was taken
    uint64_t goal;          // bytes at which the next collection is to be over
    const char *goal_why;   // why the goal is not known; NULL: it is
};

// Finds it in the bytes of runtime.memstats; false when nothing there adds up.
bool go_collector_find(const unsigned char *bytes, size_t size, struct go_collector *collector);

// Finds the pace in the bytes of runtime.gcController.
bool go_collector_find_pace(const unsigned char *bytes, size_t size,
                            struct go_collector *collector);

// Reads it of a process that Go built.
void go_collector_read(struct heap_target *target, struct go_collector *collector);
