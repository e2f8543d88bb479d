// SPDX-License-Identifier: MIT
#include "base/random.h"

#include <math.h>

#include "base/clock.h"

uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

double random_share(uint64_t *state)
{
    return (double)((random_next(state) >> 11) + 1) * 0x1p-53;
}

int64_t random_interval(uint64_t *state, double rate)
{
    return (int64_t)(-log(random_share(state)) * NS_PER_S / rate);
}
