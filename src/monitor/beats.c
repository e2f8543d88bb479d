// SPDX-License-Identifier: MIT
#include "monitor/beats.h"

#include <string.h>

#include "base/clock.h"
#include "profile/query.h"

#define OVERHEAD_SECONDS 3

void beats_init(struct beats *beats)
{
    *beats = (struct beats){.slowdown = 1};
}

void beats_restart(struct beats *beats)
{
    beats->count = 0;
    beats->high = 0;
}

static const struct beat *beat_back(const struct beats *beats, uint64_t back)
{
    return &beats->ring[(beats->count - 1 - back) % BEATS_KEPT];
}

void beats_add(struct beats *beats, int64_t at, const struct run *run, int64_t held_worst,
               int64_t held_all)
{
    int64_t before = beats->count ? beat_back(beats, 0)->at : 0;
    double length = at > before ? (double)(at - before) : (double)NS_PER_S;
    struct beat *beat = &beats->ring[beats->count++ % BEATS_KEPT];
    beat->at = at;
    beat->worst = 100.0 * (double)held_worst / length;
    beat->all = 100.0 * (double)held_all / length;
    memcpy(beat->counts, run->counts, sizeof beat->counts);
    beats->high = beat_back(beats, 0)->worst > OVERHEAD_MOST_PERCENT ? beats->high + 1 : 0;
}

void beats_cpu(struct beats *beats, int64_t now, uint64_t cpu_ns)
{
    if (beats->cpu_at && now > beats->cpu_at) {
        uint64_t used = cpu_ns > beats->cpu_before ? cpu_ns - beats->cpu_before : 0;
        if (beats->cpu_count == CPU_HISTORY)
            memmove(beats->cpu, beats->cpu + 1, --beats->cpu_count * sizeof *beats->cpu);
        beats->cpu[beats->cpu_count++] =
            (float)(100.0 * (double)used / (double)(now - beats->cpu_at));
    }
    beats->cpu_before = cpu_ns;
    beats->cpu_at = now;
}

bool beats_back_off(struct beats *beats)
{
    if (beats->high < BACKOFF_SECONDS || beats->slowdown >= SLOWEST)
        return false;
    beats->high = 0;
    beats->slowdown *= 2;
    return true;
}

static enum overhead verdict_of(double overhead)
{
    if (overhead > OVERHEAD_MOST_PERCENT)
        return OVERHEAD_TOO_HIGH;
    return overhead >= OVERHEAD_HIGH_PERCENT ? OVERHEAD_HIGH : OVERHEAD_OK;
}

static void copy_overhead(const struct beats *beats, struct snapshot *snapshot)
{
    uint64_t seconds = beats->count < OVERHEAD_SECONDS ? beats->count : OVERHEAD_SECONDS;
    for (uint64_t back = 0; back < seconds; back++) {
        snapshot->overhead += beat_back(beats, back)->worst / (double)seconds;
        snapshot->overhead_process += beat_back(beats, back)->all / (double)seconds;
    }
    snapshot->verdict = verdict_of(snapshot->overhead);
}

void beats_copy(const struct beats *beats, struct snapshot *snapshot)
{
    uint64_t counts[COUNTER_COUNT]; // before the first beat all there are
    memcpy(counts, snapshot->counts, sizeof counts);
    memcpy(snapshot->cpu, beats->cpu, sizeof snapshot->cpu);
    snapshot->cpu_count = beats->cpu_count;
    snapshot->cpu_percent = beats->cpu_count ? (double)beats->cpu[beats->cpu_count - 1] : 0;
    if (beats->count) {
        static const struct beat beginning;
        const struct beat *last = beat_back(beats, 0);
        const struct beat *first =
            beats->count < BEATS_KEPT ? &beginning : beat_back(beats, BEATS_KEPT - 1);
        memcpy(counts, last->counts, sizeof counts);
        counters_subtract(counts, first->counts);
        if (last->at > first->at)
            snapshot->achieved =
                (double)counts[COUNTER_ROUNDS] * NS_PER_S / (double)(last->at - first->at);
    }
    uint64_t refused = counts[COUNTER_REFUSED];
    snapshot->late = query_percent(counts[COUNTER_LATE], counts[COUNTER_ROUNDS]);
    snapshot->failed =
        query_percent(counts[COUNTER_FAILED] + refused, counts[COUNTER_STOPS] + refused);
    snapshot->cut = query_percent(counts[COUNTER_CUT], counts[COUNTER_SAMPLES]);
    copy_overhead(beats, snapshot);
}
