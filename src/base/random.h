// SPDX-License-Identifier: MIT
// Random numbers that keep no secrets (xorshift), from a state of 64 bits that is not 0.
#pragma once

#include <stdint.h>

uint64_t random_next(uint64_t *state);

// Above 0 and up to 1.
double random_share(uint64_t *state);

// The time from one event to the next of those that come without memory, so often a second on
// average (exponential); ns.
int64_t random_interval(uint64_t *state, double rate);
