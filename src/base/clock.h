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

// CPU time of the calling thread, ns: what something costs, whoever else has the CPU meanwhile.
int64_t clock_thread(void);

// Whether timers expire when they are due, and not at the next tick of the scheduler.
bool clock_is_fine(void);
