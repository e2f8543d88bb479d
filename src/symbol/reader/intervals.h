// SPDX-License-Identifier: MIT
// Which of many address ranges holds an address. They should not overlap; where they do (nested
// functions, damaged files) the one that begins last counts.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define INTERVALS_NONE UINT32_MAX

struct interval {
    uint64_t start, end;
    uint64_t reach; // the highest end of all intervals up to here
    uint32_t owner;
};

struct intervals { // zeroed before use
    struct interval *items; // by start once sorted
    size_t count, capacity;
};

void intervals_fini(struct intervals *intervals);

// What cannot be code is left out: empty ranges, and the addresses that linkers write in place of
// those of discarded functions.
void intervals_add(struct intervals *intervals, uint64_t start, uint64_t end, uint32_t owner);

// Once, after all were added.
void intervals_sort(struct intervals *intervals);

// The owner of the range that holds the address, or INTERVALS_NONE.
uint32_t intervals_find(const struct intervals *intervals, uint64_t address);
