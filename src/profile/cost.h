// SPDX-License-Identifier: MIT
// A cost says what samples stand for: their number, and the time by the state of their threads.
// In a difference of two profiles it says what has changed, so it may be below 0. Sums that 64 bits
// do not hold stay at their bound.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profile/store.h"

struct cost {
    int64_t samples;
    int64_t cpu_ns;
    int64_t queued_ns, blocked_ns; // 0 unless wall time is asked for
    int64_t size; // the time without its sign; in a difference what both profiles have together
};

struct cost cost_make(enum profile_state state, int64_t samples, int64_t ns);
void cost_add(struct cost *cost, struct cost more);
bool cost_is_any(struct cost cost); // there is something, be it unchanged
int64_t cost_ns(struct cost cost); // in all states

int64_t cost_sum(int64_t a, int64_t b);
int64_t cost_size(int64_t value); // without its sign
