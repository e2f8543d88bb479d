// SPDX-License-Identifier: MIT
#include "profile/cost.h"

struct cost cost_make(enum profile_state state, int64_t samples, int64_t ns)
{
    struct cost cost = {.samples = samples, .size = cost_size(ns)};
    *(state == STATE_BLOCKED  ? &cost.blocked_ns
      : state == STATE_QUEUED ? &cost.queued_ns
                              : &cost.cpu_ns) = ns;
    return cost;
}

int64_t cost_sum(int64_t a, int64_t b)
{
    int64_t sum;
    return !__builtin_add_overflow(a, b, &sum) ? sum : a < 0 ? INT64_MIN : INT64_MAX;
}

int64_t cost_size(int64_t value)
{
    return value >= 0 ? value : value == INT64_MIN ? INT64_MAX : -value;
}

void cost_add(struct cost *cost, struct cost more)
{
    cost->samples = cost_sum(cost->samples, more.samples);
    cost->cpu_ns = cost_sum(cost->cpu_ns, more.cpu_ns);
    cost->queued_ns = cost_sum(cost->queued_ns, more.queued_ns);
    cost->blocked_ns = cost_sum(cost->blocked_ns, more.blocked_ns);
    cost->size = cost_sum(cost->size, more.size);
}

bool cost_is_any(struct cost cost)
{
    return cost.samples || cost.size;
}

int64_t cost_ns(struct cost cost)
{
    return cost_sum(cost_sum(cost.cpu_ns, cost.queued_ns), cost.blocked_ns);
}
