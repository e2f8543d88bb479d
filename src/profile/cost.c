// SPDX-License-Identifier: MIT
#include "profile/cost.h"

struct cost cost_make(enum profile_state state, uint64_t samples, uint64_t ns)
{
    struct cost cost = {.samples = samples};
    *(state == STATE_BLOCKED  ? &cost.blocked_ns
      : state == STATE_QUEUED ? &cost.queued_ns
                              : &cost.cpu_ns) = ns;
    return cost;
}

void cost_add(struct cost *cost, struct cost more)
{
    cost->samples += more.samples;
    cost->cpu_ns += more.cpu_ns;
    cost->queued_ns += more.queued_ns;
    cost->blocked_ns += more.blocked_ns;
}

bool cost_is_any(struct cost cost)
{
    return cost.samples || cost_ns(cost);
}

uint64_t cost_ns(struct cost cost)
{
    return cost.cpu_ns + cost.queued_ns + cost.blocked_ns;
}
