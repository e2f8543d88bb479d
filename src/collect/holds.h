// SPDX-License-Identifier: MIT
// For how long threads were held, however a hold ended: told with each capture, once a second with
// the rest, and by the watchdog of a sampler that has not lived to tell it.
#pragma once

#include "collect/population.h"
#include "profile/store.h"
#include "sample/capture.h"

struct holds { // zeroed, but for the profile
    struct profile *profile;
    int64_t first_at; // the first capture, CLOCK_MONOTONIC ns; 0: none yet
    double share;     // of the most-held thread's time, 0..1
};

// A capture counts at once: should its sampler die, it reports nothing more.
void holds_add_capture(struct holds *holds, struct sampled_thread *thread,
                       const struct capture *capture);

// All of the thread's holds since its sampler's last report, those with captures included.
void holds_add_report(struct holds *holds, struct sampled_thread *thread, int64_t ns);

// The last hold of a sampler that died.
void holds_add_last(struct holds *holds, struct population *population, pid_t tid, int64_t lasted);

void holds_finish(struct holds *holds, const struct population *population);

// What threads were held since the last call, ns: the one that was held most, and all together.
void holds_since_last(struct population *population, int64_t *worst, int64_t *sum);
