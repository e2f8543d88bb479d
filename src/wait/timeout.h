// SPDX-License-Identifier: MIT
// Describes in words how long a thread waits at most. Each function appends to `out` and returns
// whether there is such a time, so that the wait ends by itself.
#pragma once

#include "wait/finder.h"

bool timeout_put_ms(int ms, struct buf *out); // appends "no timeout" or "timeout 5s"

// Reads a struct timespec or, with unit_ns 1000, a struct timeval of the target.
bool timeout_put_relative(const struct finder *finder, uint64_t address, int64_t unit_ns,
                          struct buf *out);

// Reads an absolute struct timespec of that clock and appends what is left: "timeout in 4.2s".
bool timeout_put_absolute(const struct finder *finder, uint64_t address, int clock,
                          struct buf *out);

// Appends " for 1h" or ", to end in 4.2s".
bool timeout_put_sleep(const struct finder *finder, uint64_t address, int clock, bool absolute,
                       struct buf *out);
