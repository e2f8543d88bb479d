// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US 1000
#define NS_PER_MS 1000000
#define NS_PER_S 1000000000

// CLOCK_MONOTONIC, ns.
int64_t clock_now(void);

// CLOCK_REALTIME, ns since 1970 UTC.
int64_t clock_wall(void);

// CPU time of the calling thread, ns: what work costs, no matter who else has the CPU meanwhile.
int64_t clock_thread(void);

// Returns whether timers expire when they are due, and not at the scheduler's next tick.
bool clock_is_fine(void);
