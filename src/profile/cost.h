// SPDX-License-Identifier: MIT
// A cost says what samples stand for: their number, and the time by the state of their threads.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profile/store.h"

struct cost {
    uint64_t samples;
    uint64_t cpu_ns;
    uint64_t queued_ns, blocked_ns; // 0 unless wall time is asked for
};

struct cost cost_make(enum profile_state state, uint64_t samples, uint64_t ns);
void cost_add(struct cost *cost, struct cost more);
bool cost_is_any(struct cost cost);
uint64_t cost_ns(struct cost cost); // in all states
