// SPDX-License-Identifier: MIT
// Gauges are read once a second. They say how well sampling went in the last few seconds, and
// whether to slow down.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/snapshot.h"
#include "profile/run.h"

#define READINGS_KEPT 11
#define OVERHEAD_HIGH_PERCENT 1.0
#define OVERHEAD_MOST_PERCENT 5.0
#define BACKOFF_SECONDS 3
#define SLOWEST 64 // the rate is never lowered to less than one part in this

struct gauge_reading {
    int64_t at;          // ns of sampling
    uint64_t counts[COUNTER_COUNT];
    double worst, all;   // percent of the second that the most-held thread was held; all threads
};

struct gauges {
    struct gauge_reading readings[READINGS_KEPT];
    uint64_t count;       // of readings so far
    unsigned high;        // seconds in a row above OVERHEAD_MOST_PERCENT
    uint32_t slowdown;    // 1: none
    uint64_t cpu_before;  // CPU time of the targets (ns) at cpu_at
    int64_t cpu_at;
    float cpu[CPU_HISTORY]; // oldest first
    size_t cpu_count;
};

void gauges_init(struct gauges *gauges);

// Forgets all readings. The rate and the history of CPU time stay.
void gauges_restart(struct gauges *gauges);

// Adds a reading. held_worst, held_all: ns for which threads were held since the last one.
void gauges_add(struct gauges *gauges, int64_t at, const struct run *run, int64_t held_worst,
                int64_t held_all);

// Adds to the history of CPU time. cpu_ns: what the targets have used up to now.
void gauges_cpu(struct gauges *gauges, int64_t now, uint64_t cpu_ns);

// Returns true each time the rate has to be halved: then gauges->slowdown is new.
bool gauges_back_off(struct gauges *gauges);

// Fills in what comes from the last seconds: achieved, late, failed, cut, overhead, verdict, CPU.
// snapshot->counts have been filled in.
void gauges_copy(const struct gauges *gauges, struct snapshot *snapshot);
