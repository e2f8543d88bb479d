// SPDX-License-Identifier: MIT
// A command that reads for a while does so in a thread of its own, while the main thread heeds
// signals: the first one that asks us to end has the work end early, with what there is; the second
// one ends the program at once. ^Z takes effect between two pieces of work.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct aside { // descriptors of -1 are not open
    int signals; // descriptor of commands/interrupts.h
    int news_fd; // eventfd that is written to when `ending` or `suspended` is set
    int over_fd; // eventfd that is written to when the work is over
    atomic_bool ending;    // a signal asked us to end
    atomic_bool suspended; // ^Z came
    // The work; its result is that of aside_run.
    enum rc (*work)(void *context, struct err *err);
    // Is called in the main thread when the work is to end early. NULL: it asks aside_ending.
    void (*hurry)(void *context);
    void *context;
};

enum rc aside_open(struct aside *aside, struct err *err) MUST_CHECK;
enum rc aside_run(struct aside *aside, struct err *err) MUST_CHECK;
void aside_close(struct aside *aside);

// Says whether a signal asked us to end; a struct aside is its context.
bool aside_ending(void *aside);

// Waits until a time of CLOCK_MONOTONIC. Returns false if a signal asked us to end.
bool aside_pause_until(struct aside *aside, int64_t next);
