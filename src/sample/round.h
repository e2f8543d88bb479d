// SPDX-License-Identifier: MIT
// What the sampler does each time it wakes: who runs, samples of those, what else is to be told.
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sample/family.h"
#include "sample/look.h"
#include "sample/roster.h"
#include "sample/survey.h"

#define RUNNING_MAX 32 // threads read before they are stopped: later, the first have moved on

struct round {
    struct control *control;
    struct roster roster;
    struct look look;
    struct survey survey;
    struct family family;
    const regex_t *threads; // names of the threads wanted, NULL: all
    double rate;            // Hz
    bool children;
    uint64_t random;        // state of xorshift64
    int64_t off_cpu_ns;     // a thread whose CPU time stands still for longer is on no CPU
    int64_t collected_at;
    int64_t rested_at; // when the CPU time of the rounds so far will be paid for by rest
    struct thread *running[RUNNING_MAX]; // seen so in this round, not sampled yet
    size_t running_count;
};

void round_init(struct round *round, struct control *control);

// A random number above 0 and up to 1.
double round_share(struct round *round);

// Tells of the processes that the roster has at the beginning.
void round_begin(struct round *round);

// One round, begun now (CLOCK_MONOTONIC ns).
void round_make(struct round *round, int64_t now);

// Between rounds: releases threads that stopped since `since`.
void round_collect(struct round *round, int64_t since);

// Waits for the threads that are still interrupted, not for long, and tells what the time since the
// last report brought.
void round_finish(struct round *round);

// Until when to sleep if the next thing to do comes at `next`.
int64_t round_sleep(const struct round *round, int64_t next);
