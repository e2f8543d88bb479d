// SPDX-License-Identifier: MIT
// What is done when captures come faster than they can be unwound: one in 2^n of them is taken, by
// chance and before anybody looks at it, so that what is dear to unwind is not seen less often than
// what is cheap. Each that is taken then stands for 2^n. Should that go on, the rate falls too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/capture.h"
#include "sample/ring.h"

struct thinning { // zeroed before use
    unsigned power;    // one in 2^power is taken
    uint32_t slowdown; // the rate is to be one part in so many; 0: all of it
    uint64_t random;
    int64_t last; // after that none is taken any more; 0: no such moment
    int64_t changed_at, slowed_at; // CLOCK_MONOTONIC ns
};

// How far behind we are: the ring's share that is full, and the age of the capture at hand, ns.
struct thinning_state {
    int64_t now;
    double full;
    int64_t lag;
};

// Whether one more capture is taken.
bool thinning_chooses(struct thinning *thinning, const struct thinning_state *state);

// The same of the oldest one in the ring. A thread that sleeps is told of once for all the time
// that it does: it is left out at the end only.
bool thinning_takes(struct thinning *thinning, const struct ring *ring,
                    const struct capture *capture);

// By how much the rate is to fall: one part in so many.
uint32_t thinning_slowdown(const struct thinning *thinning);

// Whether captures are left out at present.
bool thinning_is_at_work(const struct thinning *thinning);

// What a capture that is taken stands for.
uint32_t thinning_times(const struct thinning *thinning);
