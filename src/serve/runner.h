// SPDX-License-Identifier: MIT
// A runner samples one target for all who ask about it, in a process of its own. It begins with the
// first question and ends with the last: no thread is stopped unless an answer needs it. What
// threads wait for is counted in place, which stops nobody, until nobody has asked for it for a
// while, because those counts are of all time and have to go on.
#pragma once

#include <stdint.h>
#include <sys/types.h>

#define RUNNER_KEPT 2           // profiles of all time: block and mutex
#define RUNNER_DONE 3           // in their place: there is nothing to do any more

struct runner_config {
    pid_t pid;
    double rate;          // Hz
    int64_t min_block;    // ns: waits that are shorter on average do not count as block
    int64_t linger_waits; // ns from the last question to the end of counting waits
    int64_t linger_views; // the same of sampling for pages that look at it
    int kept[RUNNER_KEPT]; // memory with what a runner before this one counted, as pprof; -1: none
};

// Answers questions (serve/ask.h) until the channel is closed. When there is nothing to do any more
// it sends what was counted for all time, as answers without a question: their id is 0, and
// `partial` is the number of the profile, at last RUNNER_DONE. A question may cross that on its
// way: then it goes on. context: struct runner_config.
void runner_serve(int channel, const void *context);
