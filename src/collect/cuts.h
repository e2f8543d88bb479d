// SPDX-License-Identifier: MIT
// In which modules stacks broke off, and why.
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

// The one that most stacks broke off at; NULL when none did.
const struct cut *cuts_worst(const struct cuts *cuts);

void cuts_fini(struct cuts *cuts);
