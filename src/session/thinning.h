// SPDX-License-Identifier: MIT
// What is done when captures come faster than they can be unwound: one in 2^n of them is taken, by
// chance and before anybody looks at it, so that what is dear to unwind is not seen less often than
// what is cheap. Each that is taken then stands for 2^n. Should that go on, the rate falls too.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct thinning { // zeroed before use
    unsigned power;    // one in 2^power is taken
    uint32_t slowdown; // the rate is to be one part in so many; 0: all of it
    uint64_t left_out; // captures
    uint64_t random;
    int64_t changed_at, slowed_at; // CLOCK_MONOTONIC ns
};

// How far behind we are: the ring's share that is full, and the age of the capture at hand, ns.
struct thinning_state {
    int64_t now;
    double full;
    int64_t lag;
};

// Before each capture: whether it is taken.
bool thinning_takes(struct thinning *thinning, const struct thinning_state *state);

// What a capture that is taken stands for.
uint32_t thinning_times(const struct thinning *thinning);
