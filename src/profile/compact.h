// SPDX-License-Identifier: MIT
// Compaction keeps a profile within bounds however long it grows. Threads that ended merge with
// those of the same name; stacks that few samples have, none of them of late, lose their innermost
// frames. No sample and no CPU time is lost, and what lost frames is counted as folded.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"

struct compact_bounds {
    size_t nodes;   // SIZE_MAX: the trie is left as it is
    size_t ended;   // threads that have ended
    size_t values;
};

struct compact_numbers { // [old number]: the new one; owned
    uint32_t *stacks, *threads, *values;
};

bool compact_is_due(const struct profile *profile, const struct compact_bounds *bounds);

// Reduces what is bounded to about half of its bound. Locations get new numbers too.
void compact(struct profile *profile, const struct compact_bounds *bounds,
             struct compact_numbers *numbers);
void compact_numbers_fini(struct compact_numbers *numbers);
