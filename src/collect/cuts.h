// SPDX-License-Identifier: MIT
// Counts in which modules stacks were cut, and why.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "unwind/unwinder.h"

struct cut {
    uint32_t module; // its id
    enum unwind_end why;
    uint64_t count;
};

struct cuts { // zeroed before its first use
    struct cut *list;
    size_t count, capacity;
};

void cuts_add(struct cuts *cuts, uint32_t module, enum unwind_end why);

// Returns the module and reason of most cuts; NULL when no stack was cut.
const struct cut *cuts_worst(const struct cuts *cuts);

void cuts_fini(struct cuts *cuts);
