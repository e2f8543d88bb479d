// SPDX-License-Identifier: MIT
// Finds which of many address ranges holds an address. Ranges should not overlap; where they do
// (nested functions, damaged files) the one that begins last counts.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define INTERVALS_NONE UINT32_MAX

struct interval {
    uint64_t start, end;
    uint64_t reach; // the highest end of this interval and all before it
    uint32_t owner;
};

struct intervals { // zeroed before use
    struct interval *items; // by start once sorted
    size_t count, capacity;
};

void intervals_fini(struct intervals *intervals);

// Adds a range. Ranges that cannot be code are left out: empty ones, and those at the addresses
// that linkers write for discarded functions.
void intervals_add(struct intervals *intervals, uint64_t start, uint64_t end, uint32_t owner);

// Must be called once, after the last intervals_add.
void intervals_sort(struct intervals *intervals);

// Returns the owner of the range that holds the address, or INTERVALS_NONE.
uint32_t intervals_find(const struct intervals *intervals, uint64_t address);
