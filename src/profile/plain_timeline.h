// SPDX-License-Identifier: MIT
// Viewers of timelines can show a profile too. It has no times, so they are made up: the samples of
// a thread lie one behind the other, those with the same callers together, each as long as its
// value (1 is 1 ns).
#pragma once

#include "profile/measure.h"
#include "profile/timeline.h"

// Lays out the values of one type; those below 0 are left out. The caller frees the timeline.
struct timeline *plain_timeline(const struct plain_profile *profile,
                                const struct measure *measure);

struct plain_order { // of the samples of a profile
    uint32_t *samples; // by thread, and then so that stacks with the same callers are together;
                       // owned
    uint32_t *threads; // [sample]: its thread, a number from 0 in the order of first samples; owned
    uint32_t *labels;  // [thread]: label set of its first sample; owned
    size_t thread_count;
};

void plain_order_init(struct plain_order *order, const struct plain_profile *profile);
void plain_order_fini(struct plain_order *order);
