// SPDX-License-Identifier: MIT
// Delays in the buckets of a histogram as Prometheus has them. The kernel and the sampler tell how
// often something was waited for and how long in all: all of these waits count in the bucket of
// their mean. So sum and count are exact, and the buckets are as fine as what is told of at a time.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

// Upper bounds in ns: 10 us, 20 us, 50 us, ... 10 s; the last bucket has none.
#define LATENCY_BUCKETS 20
extern const int64_t latency_bounds[LATENCY_BUCKETS - 1];

struct latency { // a plain value
    uint64_t counts[LATENCY_BUCKETS]; // each of its bucket only
    uint64_t count, sum;              // sum in ns
};

struct queue_wait { // for a CPU, of one thread between two readings: it counts in one bucket
    pid_t tid;  // 0: there was none
    bool woken; // mostly after it had slept; else it had been preempted
    uint64_t sum, mean; // ns
    int64_t wall;       // ns since 1970 UTC: when it was read
};

// Adds `count` waits that took `sum` ns in all, and returns the bucket of their mean.
unsigned latency_add(struct latency *latency, uint64_t count, uint64_t sum);

// Adds the waits of another one.
void latency_merge(struct latency *latency, const struct latency *other);
