// SPDX-License-Identifier: MIT
// What a runner tells the collector now and then, unasked, for /metrics: what its run has counted,
// the delays of threads while they are counted (block, mutex), and where threads were. A plain
// value.
#pragma once

#include <stdint.h>

#include "monitor/snapshot.h"
#include "sample/counters.h"
#include "serve/exposition.h"
#include "serve/latency.h"
#include "serve/report_threads.h"

#define RUNNER_REPORT 2 // in answer_head.partial of an answer without a question (runner.h)
#define REPORT_TYPES 2  // block and mutex

struct report_delays { // waits for work do not count
    struct latency latency;
    struct exposition_exemplar exemplars[LATENCY_BUCKETS]; // the longest since the report before
};

struct runner_report {
    uint64_t counts[COUNTER_COUNT];
    struct report_delays delays[REPORT_TYPES];
    struct report_thread threads[REPORT_THREADS];
};

// Who makes reports knows what the one before had counted for each stack.
struct reporter;

struct reporter *reporter_new(void);
void reporter_free(struct reporter *reporter);

// Returns the report as of a snapshot; it lives as long as the reporter.
const struct runner_report *reporter_make(struct reporter *reporter,
                                          const struct snapshot *snapshot);
