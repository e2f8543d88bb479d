// SPDX-License-Identifier: MIT
#include "base/histogram.h"

#include <stdbool.h>

static unsigned bucket_of(uint64_t value)
{
    if (value < 8)
        return (unsigned)value;
    unsigned power = 63 - (unsigned)__builtin_clzll(value); // >= 3
    return (power - 2) * 8 + (unsigned)(value >> (power - 3) & 7);
}

static uint64_t top_of(unsigned bucket)
{
    if (bucket < 8)
        return bucket;
    unsigned power = bucket / 8 + 2;
    return ((uint64_t)(bucket % 8 + 9) << (power - 3)) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t value)
{
    uint64_t max = __atomic_load_n(&histogram->max, __ATOMIC_RELAXED);
    __atomic_fetch_add(&histogram->count, 1, __ATOMIC_RELAXED);
    __atomic_fetch_add(&histogram->sum, value, __ATOMIC_RELAXED);
    while (value > max && !__atomic_compare_exchange_n(&histogram->max, &max, value, true,
                                                       __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        continue;
    __atomic_fetch_add(&histogram->buckets[bucket_of(value)], 1, __ATOMIC_RELAXED);
}

void histogram_subtract(struct histogram *histogram, const struct histogram *before)
{
    uint64_t max = histogram->max;
    histogram->count -= before->count;
    histogram->sum -= before->sum;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++)
        histogram->buckets[i] -= before->buckets[i];
    histogram->max = 0;
    for (unsigned i = HISTOGRAM_BUCKETS; i-- > 0 && !histogram->max;)
        if (histogram->buckets[i])
            histogram->max = top_of(i) < max ? top_of(i) : max;
}

uint64_t histogram_quantile(const struct histogram *histogram, double share)
{
    uint64_t wanted = (uint64_t)(share * (double)histogram->count + 0.5), seen = 0;
    if (!histogram->count)
        return 0;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen)
            return top_of(i) < histogram->max ? top_of(i) : histogram->max;
    }
    return histogram->max;
}
