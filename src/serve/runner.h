// SPDX-License-Identifier: MIT
// A runner samples one target for all who ask about it, in a process of its own. It begins with the
// first question and ends with the last: no thread is stopped unless an answer needs it. What
// threads wait for is counted in place, which stops nobody, until nobody has asked for it for a
// while, because those counts are of all time and have to go on.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define RUNNER_KEPT 2 // profiles of all time: block and mutex

struct runner_config {
    pid_t pid;
    double rate;          // Hz
    int64_t linger_waits; // ns from the last question to the end of counting waits
    int64_t linger_views; // the same of sampling for pages that look at it
    int kept[RUNNER_KEPT]; // memory with what a runner before this one counted, as pprof; -1: none
};

// Answers questions (serve/ask.h) until the channel is closed or there is nothing to do any more.
// At the end it sends what was counted for all time, as answers without a question: their id is 0,
// and `partial` is the number of the profile. context: struct runner_config.
void runner_serve(int channel, const void *context);
