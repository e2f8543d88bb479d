// SPDX-License-Identifier: MIT
// Whether what has been collected can still be written under the limits of memory that hold for us.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct room { // zeroed: nothing was measured yet
    size_t before; // bytes in use when it was first measured
    int64_t at;    // when it was last measured, CLOCK_MONOTONIC ns
};

// Returns true when it is time to stop and write. Then it also releases the memory that was kept
// back for writing (mem_keep_reserve).
bool room_is_short(struct room *room);
