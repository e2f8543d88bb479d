// SPDX-License-Identifier: MIT
// How long a thread asked to wait, in words. Each appends to `out`, and says whether there is such
// a time (so that the wait ends by itself).
#pragma once

#include "wait/finder.h"

bool timeout_put_ms(int ms, struct buf *out); // "no timeout", "timeout 5s"

// A struct timespec or, with unit_ns 1000, a struct timeval of the target.
bool timeout_put_relative(const struct finder *finder, uint64_t address, int64_t unit_ns,
                          struct buf *out);

// A struct timespec by the clock; what of it is left: "timeout in 4.2s".
bool timeout_put_absolute(const struct finder *finder, uint64_t address, int clock,
                          struct buf *out);

// " for 1h", ", to end in 4.2s".
bool timeout_put_sleep(const struct finder *finder, uint64_t address, int clock, bool absolute,
                       struct buf *out);
