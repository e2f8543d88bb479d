// SPDX-License-Identifier: MIT
// Whether what has come together can still be written under the limits of memory that hold for us.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct room { // zeroed: not looked at yet
    size_t before; // bytes in use at the first look
    int64_t at;    // of the last one, CLOCK_MONOTONIC ns
};

// True: it is time to stop and write. What was kept back for that (mem_keep_reserve) is given then.
bool room_is_short(struct room *room);
