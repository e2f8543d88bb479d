// SPDX-License-Identifier: MIT
// What the thread that reads does each time it wakes: who is there, whom the samplers are to look
// among, what is to be told; and samples of those that no sampler can take where they run.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/thread_filter.h"
#include "sample/cpu_samplers.h"
#include "sample/family.h"
#include "sample/look.h"
#include "sample/reach.h"
#include "sample/roster.h"
#include "sample/survey.h"

#define RUNNING_MAX 32 // threads read before they are stopped: later, the first have moved on

struct round {
    struct control *control;
    struct roster roster;
    struct look look;
    struct survey survey;
    struct family family;
    struct cpu_samplers samplers;
    struct reach reach;
    const struct thread_filter *threads;
    double rate; // Hz
    bool children;
    uint64_t random;        // state of base/random.h
    int64_t off_cpu_ns;     // a thread whose CPU time stands still for longer is on no CPU
    bool urgent;        // threads are asked to stop: who holds one must not wait for a CPU
    int64_t collected_at;
    int64_t listed_at;  // when the candidates were listed last
    size_t listed_hot;  // how many threads were hot then
    struct thread *running[RUNNING_MAX]; // seen so in this round, not sampled yet
    size_t running_count;
};

void round_init(struct round *round, struct control *control);

// Tells of the processes that the roster has at the beginning.
void round_begin(struct round *round);

// One round, begun now (CLOCK_MONOTONIC ns).
void round_make(struct round *round, int64_t now);

// Waits until then for threads that were asked to stop from here, and takes their samples.
void round_await(struct round *round, int64_t until);

// How often rounds are due now, Hz: as often as samples if that is how some are taken, else so that
// newcomers are soon met.
double round_rate(const struct round *round, int64_t now);

// Tells what the time since the last report brought.
void round_report(struct round *round);

// Ends the samplers, and tells what the time since the last report brought.
void round_finish(struct round *round);
