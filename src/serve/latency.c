// SPDX-License-Identifier: MIT
#include "serve/latency.h"

#include "base/clock.h"

#define DECADE(unit) 1 * (unit), 2 * (unit), 5 * (unit)

const int64_t latency_bounds[LATENCY_BUCKETS - 1] = {
    DECADE(10ll * NS_PER_US), DECADE(100ll * NS_PER_US), DECADE(1ll * NS_PER_MS),
    DECADE(10ll * NS_PER_MS), DECADE(100ll * NS_PER_MS), DECADE(1ll * NS_PER_S), 10ll * NS_PER_S,
};

unsigned latency_add(struct latency *latency, uint64_t count, uint64_t sum)
{
    unsigned bucket = 0;
    uint64_t mean = count ? sum / count : 0;
    while (bucket < LATENCY_BUCKETS - 1 && mean > (uint64_t)latency_bounds[bucket])
        bucket++;
    latency->counts[bucket] += count;
    latency->count += count;
    latency->sum += sum;
    return bucket;
}

void latency_merge(struct latency *latency, const struct latency *other)
{
    for (unsigned i = 0; i < LATENCY_BUCKETS; i++)
        latency->counts[i] += other->counts[i];
    latency->count += other->count;
    latency->sum += other->sum;
}
