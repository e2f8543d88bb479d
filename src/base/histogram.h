// SPDX-License-Identifier: MIT
// Counts of durations in log-linear buckets (8 a power of two: at most 12 % wide). Plain memory
// without pointers, so that it may lie in memory shared by two processes; any number of writers.
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 512

struct histogram {
    uint64_t count, sum, max; // sum and max in the unit of the values, ns throughout ptprof
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

// The value that `share` (0..1) of all values do not exceed: the top of its bucket, never beyond
// max. 0 when empty.
uint64_t histogram_quantile(const struct histogram *histogram, double share);
