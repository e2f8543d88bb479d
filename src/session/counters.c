// SPDX-License-Identifier: MIT
#include "session/counters.h"

#include "base/limits.h"
#include "profile/query.h"

// Each CPU has ticks of its own: the rounds are those of the CPU that had most.
static void count_ticks(struct run *run, const struct control *control)
{
    uint64_t all = 0, late = 0;
    run->rounds = 0;
    for (unsigned i = 0; i < control->life_count; i++) {
        uint64_t ticks = atomic_load(&control->lives[i].ticks);
        all += ticks;
        late += atomic_load(&control->lives[i].late);
        run->rounds = ticks > run->rounds ? ticks : run->rounds;
    }
    run->late = all ? (late * run->rounds + all / 2) / all : 0;
}

void counters_copy(struct run *run, const struct control *control)
{
    count_ticks(run, control);
    run->elsewhere = atomic_load(&control->elsewhere);
    run->busy = atomic_load(&control->busy);
    run->unfound = atomic_load(&control->unfound);
    run->stops = atomic_load(&control->stops);
    run->failed = atomic_load(&control->failed);
    run->refused = atomic_load(&control->refused);
    run->workers = atomic_load(&control->workers);
    run->tracer = atomic_load(&control->tracer);
    run->limit = atomic_load(&control->limit) ? atomic_load(&control->limit) : limits_noted();
    run->queued = atomic_load(&control->queued);
    run->dropped = atomic_load(&control->dropped);
    run->repaired = atomic_load(&control->repaired);
    run->realtime = atomic_load(&control->realtime);
    run->short_slice = atomic_load(&control->short_slice);
    run->rate_lowered = atomic_load(&control->rate_lowered);
    run->threads_seen = atomic_load(&control->threads_seen);
    run->held_p50 = (int64_t)histogram_quantile(&control->held, 0.5);
    run->held_p99 = (int64_t)histogram_quantile(&control->held, 0.99);
    run->held_max = (int64_t)control->held.max;
    run->held_total = (int64_t)control->held.sum;
    run->displaced_p50 = (int64_t)histogram_quantile(&control->displaced, 0.5);
    run->displaced_p99 = (int64_t)histogram_quantile(&control->displaced, 0.99);
    run->displaced_total = (int64_t)control->displaced.sum;
}

uint64_t counters_unresolved(const struct report *report)
{
    struct query_source source = report_source(report);
    uint64_t unresolved = 0;
    for (size_t i = 0; i < profile_value_count(report->profile); i++) {
        const struct profile_value *value = profile_value_get(report->profile, i);
        if (!value->stack || !query_takes(&source, value))
            continue;
        struct location leaf = profile_location_get(
            report->profile, profile_node(report->profile, value->stack).location);
        if (!symbolizer_lookup(report->symbolizer, leaf.mapping, leaf.offset)->found)
            unresolved += value->samples;
    }
    return unresolved;
}

void counters_subtract(struct run *run, const struct run *base)
{
    run->rounds -= base->rounds;
    run->late -= base->late;
    run->samples -= base->samples;
    run->asleep -= base->asleep;
    run->stops -= base->stops;
    run->failed -= base->failed;
    run->refused -= base->refused;
    run->queued -= base->queued;
    run->dropped -= base->dropped;
    run->cut -= base->cut;
    run->frame_pointers -= base->frame_pointers;
    run->repaired -= base->repaired;
    run->held_total -= base->held_total;
    run->displaced_total -= base->displaced_total;
    run->elsewhere -= base->elsewhere;
    run->busy -= base->busy;
    run->unfound -= base->unfound;
    run->cpu_ns -= base->cpu_ns;
}
