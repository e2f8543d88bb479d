// SPDX-License-Identifier: MIT
#include "collect/thinning.h"

#include "base/clock.h"

#define FULL_HIGH 0.75
#define FULL_LOW 0.125
#define LAG_HIGH (500 * NS_PER_MS)
#define LAG_LOW (100 * NS_PER_MS)
#define MORE_EVERY (10 * NS_PER_MS)   // least time between two steps to fewer captures
#define LESS_EVERY (200 * NS_PER_MS)  // least time between two steps back to more
#define SLOW_EVERY NS_PER_S
#define FAST_EVERY (3ll * NS_PER_S)
#define POWER_MAX 12
#define SLOWEST 64

static uint64_t next_random(struct thinning *thinning, int64_t seed)
{
    uint64_t x = thinning->random ? thinning->random : (uint64_t)seed | 1;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    return thinning->random = x;
}

// A backlog that is being worked off needs no further step: the more the weights of captures
// differ, the less the captures tell.
static void change_power(struct thinning *thinning, const struct thinning_state *state)
{
    bool high = state->full > FULL_HIGH || state->lag > LAG_HIGH;
    bool low = state->full < FULL_LOW && state->lag < LAG_LOW;
    bool falls = state->full < thinning->judged.full && state->lag < thinning->judged.lag;
    int64_t since = state->now - thinning->judged.now;
    if (!(high && since >= MORE_EVERY) && !(low && since >= LESS_EVERY))
        return;
    if (high && !falls && thinning->power < POWER_MAX)
        thinning->power++;
    else if (low && thinning->power)
        thinning->power--;
    thinning->judged = *state;
}

uint32_t thinning_slowdown(const struct thinning *thinning)
{
    return thinning->slowdown ? thinning->slowdown : 1;
}

static void set_slowdown(struct thinning *thinning, uint32_t slowdown, int64_t now)
{
    thinning->slowdown = slowdown;
    thinning->slowed_at = now;
}

// Halves the rate while captures are left out, and doubles it after all have been taken for a
// while.
static void change_rate(struct thinning *thinning, int64_t now)
{
    uint32_t slowdown = thinning_slowdown(thinning);
    int64_t since = now - thinning->slowed_at;
    if (!thinning->slowed_at || (!thinning->power && slowdown == 1))
        thinning->slowed_at = now;
    else if (thinning->power && since >= SLOW_EVERY && slowdown < SLOWEST)
        set_slowdown(thinning, slowdown * 2, now);
    else if (!thinning->power && since >= FAST_EVERY)
        set_slowdown(thinning, slowdown / 2, now);
}

bool thinning_chooses(struct thinning *thinning, const struct thinning_state *state)
{
    change_power(thinning, state);
    change_rate(thinning, state->now);
    uint64_t mask = (1ull << thinning->power) - 1;
    return (next_random(thinning, state->now) >> 20 & mask) == 0;
}

bool thinning_takes(struct thinning *thinning, const struct ring *ring,
                    const struct capture *capture)
{
    int64_t now = clock_now();
    uint64_t filled = atomic_load(&ring->reserved) - atomic_load(&ring->consumed);
    struct thinning_state state = {
        .now = now,
        .full = (double)filled / (double)ring->size,
        .lag = now - capture->time,
    };
    bool late = thinning->last && now > thinning->last;
    bool asleep = (capture->flags & (CAPTURE_IN_PLACE | CAPTURE_ON_CPU)) == CAPTURE_IN_PLACE;
    return !late && (asleep || thinning_chooses(thinning, &state));
}

bool thinning_is_at_work(const struct thinning *thinning)
{
    return thinning->power;
}

uint32_t thinning_times(const struct thinning *thinning)
{
    return 1u << thinning->power;
}
