// SPDX-License-Identifier: MIT
// The last few minutes of a profile lie in slices of one second, of which the windows of the live
// views are made. An entry says how much a value got; a value is a number of the store, or of a
// sample of a plain profile. Memory is bounded: a ring of slices, each with a bound on its entries.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLICES_KEPT 328 // complete ones: 300 s for ptprof serve, 8 windows of 30 s for top, and
                        // what a clock may be off

struct slice_entry {
    uint32_t value;
    uint32_t samples;
    uint64_t ns;
};

struct slice {
    const struct slice_entry *entries;
    size_t count;
    uint64_t charged; // slices_charge, as of its end
};

struct slices;

struct slices *slices_new(size_t most_entries); // of one slice
void slices_free(struct slices *slices);
struct slices *slices_copy(const struct slices *slices);

// Counts into the slice that is being filled. When it is full, it counts nothing and returns false.
bool slices_add(struct slices *slices, uint32_t value, uint64_t samples, uint64_t ns);

// Counts what a full slice had no room for, at a value of the root, which it always has room for.
void slices_add_root(struct slices *slices, uint32_t value, uint64_t samples, uint64_t ns);

// Completes slices up to now (ns of any clock that does not go back). The first call sets when the
// first slice begins.
void slices_advance(struct slices *slices, int64_t now);

// Says how much CPU time (ns) the kernel has charged in all, whether or not a sample has it.
void slices_charge(struct slices *slices, uint64_t ns);

// Drops all slices.
void slices_clear(struct slices *slices);

// Return how many are complete (at most SLICES_KEPT), and the one that was completed `back` slices
// before the newest of them.
size_t slices_count(const struct slices *slices);
struct slice slices_get(const struct slices *slices, size_t back);

// Returns when the newest was completed, by the clock of slices_advance, or will have been when the
// first is.
int64_t slices_completed(const struct slices *slices);

// Gives values their new numbers.
void slices_renumber(struct slices *slices, const uint32_t *values);

size_t slices_entry_count(const struct slices *slices); // of all slices
uint64_t slices_folded(const struct slices *slices);    // samples that a root had to take
