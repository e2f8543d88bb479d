// SPDX-License-Identifier: MIT
// Counts of durations in log-linear buckets (8 for each power of two: at most 12 % wide). The
// struct has no pointers, so that processes can share it, and may have any number of writers.
#pragma once

#include <stdint.h>

#define HISTOGRAM_BUCKETS 512

struct histogram {
    uint64_t count, sum, max; // sum and max in the unit of the values, ns throughout ptprof
    uint32_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);

// Takes off what had been counted before. The largest value of what is left is known only as far as
// its bucket tells.
void histogram_subtract(struct histogram *histogram, const struct histogram *before);

// Returns the value that `share` (0..1) of all values do not exceed: the top of its bucket, but
// never more than max. An empty histogram gives 0.
uint64_t histogram_quantile(const struct histogram *histogram, double share);
