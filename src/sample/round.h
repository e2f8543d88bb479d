// SPDX-License-Identifier: MIT
// What the thread that reads does each time it wakes: it finds out which threads there are and
// which of them run, lists the candidates of the samplers, tells the main process what they used,
// and takes the samples of those that no sampler can displace.
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

#define RUNNING_MAX 32 // threads read before the first is stopped: with more, it has run on

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

// Tells the main process which processes the roster has at the beginning.
void round_begin(struct round *round);

// Makes one round, which begins now (CLOCK_MONOTONIC ns).
void round_make(struct round *round, int64_t now);

// Waits at most until then for the threads that this thread has asked to stop, and takes their
// samples.
void round_await(struct round *round, int64_t until);

// Returns how often rounds are due now, Hz: as often as samples if rounds take some, else often
// enough to find new threads soon.
double round_rate(const struct round *round, int64_t now);

// Tells what the threads used since the last report. The next one is due when it was.
void round_tell(struct round *round);

// Does the same for the last time, or before a pause: nobody is met any more.
void round_report(struct round *round);

// Ends the samplers, and reports for the last time.
void round_finish(struct round *round);
