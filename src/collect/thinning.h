// SPDX-License-Identifier: MIT
// What happens when captures come faster than they can be unwound: one in 2^n of them is taken, by
// chance and before it is read, so that stacks that take long to unwind are not seen less
// often than others. Each capture that is taken then stands for 2^n. If that does not suffice, the
// rate falls too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/capture.h"
#include "sample/ring.h"

// How far the consumer is behind: the full part of the ring, and the age of the current capture,
// ns.
struct thinning_state {
    int64_t now; // CLOCK_MONOTONIC ns
    double full;
    int64_t lag;
};

struct thinning { // zeroed before use
    unsigned power;    // one capture in 2^power is taken
    // The rate falls to one part in so many of the one that was asked for; 0: to all of it.
    uint32_t slowdown;
    uint64_t random;
    int64_t last; // no capture is taken after this moment; 0: there is no such moment
    struct thinning_state judged; // when the power was last changed, or found to suffice
    int64_t slowed_at; // CLOCK_MONOTONIC ns
};

// Returns whether one more capture is taken.
bool thinning_chooses(struct thinning *thinning, const struct thinning_state *state);

// Returns the same for the oldest capture in the ring. A blocked thread is recorded once for all
// the time that it sleeps, so it is left out only at the end.
bool thinning_takes(struct thinning *thinning, const struct ring *ring,
                    const struct capture *capture);

// Returns by how much the rate has to fall: to one part in so many.
uint32_t thinning_slowdown(const struct thinning *thinning);

// Returns whether captures are left out at present.
bool thinning_is_at_work(const struct thinning *thinning);

// Returns for how many captures one that is taken stands.
uint32_t thinning_times(const struct thinning *thinning);
