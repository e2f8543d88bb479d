// SPDX-License-Identifier: MIT
// What a HotSpot JVM counts of itself, in a file of 32 KB that it has mapped and that jstat reads
// ("hsperfdata"): collections and pauses, what its spaces held after the last one, its version. It
// is read from the memory of the process, wherever the file lies.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/target.h"

#define HSPERF_COLLECTORS 8
#define HSPERF_TEXT 64 // bytes of a text that are kept, with NUL

struct hsperf_collector {
    char name[HSPERF_TEXT]; // "G1 young collection pauses"
    uint64_t count;
    uint64_t time, entered, left; // ticks: all, and since the start of the last one
};

struct hsperf {
    char name[HSPERF_TEXT], version[HSPERF_TEXT]; // of the JVM; "": not told
    char policy[HSPERF_TEXT]; // "GarbageFirst"
    uint64_t frequency; // ticks in a second
    uint64_t ticks;     // since it started
    uint64_t started_ms; // since 1970 UTC; 0: not told
    struct hsperf_collector collectors[HSPERF_COLLECTORS];
    uint64_t used, capacity; // bytes of its spaces, as of the last collection
};

// Returns false when the bytes are none of that. All of them are the target's.
bool hsperf_parse(const unsigned char *bytes, size_t size, struct hsperf *hsperf);

// Reads it of a process. False: it is no JVM, or one that keeps no such books.
bool hsperf_read(struct heap_target *target, struct hsperf *hsperf);

// Converts ticks to ns.
uint64_t hsperf_ns(const struct hsperf *hsperf, uint64_t ticks);
