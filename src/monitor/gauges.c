// SPDX-License-Identifier: MIT
#include "monitor/gauges.h"

#include <string.h>

#include "base/clock.h"
#include "base/figures.h"

#define OVERHEAD_SECONDS 3

void gauges_init(struct gauges *gauges)
{
    *gauges = (struct gauges){.slowdown = 1};
}

void gauges_restart(struct gauges *gauges)
{
    gauges->count = 0;
    gauges->high = 0;
}

static const struct gauge_reading *reading_back(const struct gauges *gauges, uint64_t back)
{
    return &gauges->readings[(gauges->count - 1 - back) % READINGS_KEPT];
}

void gauges_add(struct gauges *gauges, int64_t at, const struct run *run, int64_t held_worst,
                int64_t held_all)
{
    int64_t before = gauges->count ? reading_back(gauges, 0)->at : 0;
    double length = at > before ? (double)(at - before) : (double)NS_PER_S;
    struct gauge_reading *reading = &gauges->readings[gauges->count++ % READINGS_KEPT];
    reading->at = at;
    reading->worst = 100.0 * (double)held_worst / length;
    reading->all = 100.0 * (double)held_all / length;
    memcpy(reading->counts, run->counts, sizeof reading->counts);
    gauges->high = reading_back(gauges, 0)->worst > OVERHEAD_MOST_PERCENT ? gauges->high + 1 : 0;
}

void gauges_cpu(struct gauges *gauges, int64_t now, uint64_t cpu_ns)
{
    if (gauges->cpu_at && now > gauges->cpu_at) {
        uint64_t used = cpu_ns > gauges->cpu_before ? cpu_ns - gauges->cpu_before : 0;
        if (gauges->cpu_count == CPU_HISTORY)
            memmove(gauges->cpu, gauges->cpu + 1, --gauges->cpu_count * sizeof *gauges->cpu);
        gauges->cpu[gauges->cpu_count++] =
            (float)(100.0 * (double)used / (double)(now - gauges->cpu_at));
    }
    gauges->cpu_before = cpu_ns;
    gauges->cpu_at = now;
}

bool gauges_back_off(struct gauges *gauges)
{
    if (gauges->high < BACKOFF_SECONDS || gauges->slowdown >= SLOWEST)
        return false;
    gauges->high = 0;
    gauges->slowdown *= 2;
    return true;
}

static enum overhead verdict_of(double overhead)
{
    if (overhead > OVERHEAD_MOST_PERCENT)
        return OVERHEAD_TOO_HIGH;
    return overhead >= OVERHEAD_HIGH_PERCENT ? OVERHEAD_HIGH : OVERHEAD_OK;
}

static void copy_overhead(const struct gauges *gauges, struct snapshot *snapshot)
{
    uint64_t seconds = gauges->count < OVERHEAD_SECONDS ? gauges->count : OVERHEAD_SECONDS;
    for (uint64_t back = 0; back < seconds; back++) {
        snapshot->overhead += reading_back(gauges, back)->worst / (double)seconds;
        snapshot->overhead_process += reading_back(gauges, back)->all / (double)seconds;
    }
    snapshot->verdict = verdict_of(snapshot->overhead);
}

void gauges_copy(const struct gauges *gauges, struct snapshot *snapshot)
{
    uint64_t counts[COUNTER_COUNT]; // before the first reading: all so far
    memcpy(counts, snapshot->counts, sizeof counts);
    memcpy(snapshot->cpu, gauges->cpu, sizeof snapshot->cpu);
    snapshot->cpu_count = gauges->cpu_count;
    snapshot->cpu_percent = gauges->cpu_count ? (double)gauges->cpu[gauges->cpu_count - 1] : 0;
    if (gauges->count) {
        static const struct gauge_reading beginning;
        const struct gauge_reading *last = reading_back(gauges, 0);
        const struct gauge_reading *first =
            gauges->count < READINGS_KEPT ? &beginning : reading_back(gauges, READINGS_KEPT - 1);
        memcpy(counts, last->counts, sizeof counts);
        counters_subtract(counts, first->counts);
        if (last->at > first->at)
            snapshot->achieved =
                (double)counts[COUNTER_ROUNDS] * NS_PER_S / (double)(last->at - first->at);
    }
    uint64_t refused = counts[COUNTER_REFUSED];
    snapshot->late = figures_percent(counts[COUNTER_LATE], counts[COUNTER_ROUNDS]);
    snapshot->failed =
        figures_percent(counts[COUNTER_FAILED] + refused, counts[COUNTER_STOPS] + refused);
    snapshot->cut = figures_percent(counts[COUNTER_CUT], counts[COUNTER_SAMPLES]);
    copy_overhead(gauges, snapshot);
}
