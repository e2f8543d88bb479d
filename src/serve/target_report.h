// SPDX-License-Identifier: MIT
// What the runs of a target have counted, all of them so far: what was done to it and how good that
// was, and how long its threads were delayed.
#pragma once

#include <stdint.h>

#include "serve/runner_report.h"

struct target_report {
    struct runner_report ended, now; // all runs that have ended; the one that goes on
    uint64_t runs;                   // that began
    uint64_t going_on;
    // Of waits for a CPU, while it was sampled where the thread that waited was.
    struct exposition_exemplar queue[LATENCY_BUCKETS];
};

struct serve_target;

// A run begins, reports (in memory that came with an answer, which may be of anybody), and ends.
void target_report_begin(struct serve_target *target);
void target_report_take(struct serve_target *target, int memory);
void target_report_end(struct serve_target *target);

// Returns the sum of all; NULL: there was no run yet. The caller's is written to.
const struct runner_report *target_report_sum(const struct serve_target *target,
                                              struct runner_report *sum);
