// SPDX-License-Identifier: MIT
// Once a second: how well sampling goes, over the last few seconds, and whether to slow down.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/snapshot.h"
#include "profile/run.h"

#define READINGS_KEPT 11
#define OVERHEAD_HIGH_PERCENT 1.0
#define OVERHEAD_MOST_PERCENT 5.0
#define BACKOFF_SECONDS 3
#define SLOWEST 64 // the rate is never lowered below one part in so many

struct gauge_reading {
    int64_t at;          // of sampling, ns
    uint64_t counts[COUNTER_COUNT];
    double worst, all;   // percent of the second that the most-held thread was held; all threads
};

struct gauges {
    struct gauge_reading readings[READINGS_KEPT];
    uint64_t count;       // so far
    unsigned high;        // seconds in a row above OVERHEAD_MOST_PERCENT
    uint32_t slowdown;    // 1: none
    uint64_t cpu_before;  // ns, and of when
    int64_t cpu_at;
    float cpu[CPU_HISTORY]; // oldest first
    size_t cpu_count;
};

void gauges_init(struct gauges *gauges);

// Counts begin at zero again; the rate and the history of CPU time stay.
void gauges_restart(struct gauges *gauges);

// held_worst, held_all: ns that threads were held since the last call.
void gauges_add(struct gauges *gauges, int64_t at, const struct run *run, int64_t held_worst,
                int64_t held_all);

// CPU time that the targets have used up to now.
void gauges_cpu(struct gauges *gauges, int64_t now, uint64_t cpu_ns);

// True once each time that the rate has to be halved; gauges->slowdown is then the new one.
bool gauges_back_off(struct gauges *gauges);

// Fills in what comes from the last seconds: achieved, late, failed, cut, overhead, verdict, CPU.
// snapshot->counts are there.
void gauges_copy(const struct gauges *gauges, struct snapshot *snapshot);
