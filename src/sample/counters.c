// SPDX-License-Identifier: MIT
#include "sample/counters.h"

#include "base/limits.h"
#include "sample/control.h"

const struct counter_row counters[COUNTER_COUNT] = {
#define COUNTER_ROW(name, key, kind, unit, text) {key, KIND_##kind, UNIT_##unit, text},
    COUNTERS(COUNTER_ROW)
#undef COUNTER_ROW
};

// Each CPU has ticks of its own: the rounds are those of the CPU that had most.
static void count_ticks(uint64_t counts[COUNTER_COUNT], const struct control *control)
{
    uint64_t all = 0, late = 0, most = 0;
    for (unsigned i = 0; i < control->life_count; i++) {
        uint64_t ticks = atomic_load(&control->lives[i].ticks);
        all += ticks;
        late += atomic_load(&control->lives[i].late);
        most = ticks > most ? ticks : most;
    }
    counts[COUNTER_ROUNDS] = most;
    counts[COUNTER_LATE] = all ? (late * most + all / 2) / all : 0;
}

void counters_times(uint64_t counts[COUNTER_COUNT], const struct histogram *held,
                    const struct histogram *displaced)
{
    counts[COUNTER_HELD_P50] = histogram_quantile(held, 0.5);
    counts[COUNTER_HELD_P99] = histogram_quantile(held, 0.99);
    counts[COUNTER_HELD_MAX] = held->max;
    counts[COUNTER_HELD_TOTAL] = held->sum;
    counts[COUNTER_DISPLACED_P50] = histogram_quantile(displaced, 0.5);
    counts[COUNTER_DISPLACED_P99] = histogram_quantile(displaced, 0.99);
    counts[COUNTER_DISPLACED_TOTAL] = displaced->sum;
}

void counters_read(uint64_t counts[COUNTER_COUNT], const struct control *control)
{
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        counts[i] = atomic_load(&control->counts[i]);
    count_ticks(counts, control);
    counters_times(counts, &control->held, &control->displaced);
    if (!counts[COUNTER_LIMIT])
        counts[COUNTER_LIMIT] = (uint64_t)limits_noted();
}

void counters_subtract(uint64_t counts[COUNTER_COUNT], const uint64_t before[COUNTER_COUNT])
{
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        if (counters[i].kind == KIND_SUM)
            counts[i] -= before[i];
}
