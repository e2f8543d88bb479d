// SPDX-License-Identifier: MIT
// The last few minutes of a profile in slices of one second: what the live views' windows are made
// of. Which value got how much: a value is a number of the store's, or of a plain profile's sample.
// Bounded: a ring of slices, and at most so many entries in each.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLICES_KEPT 248 // complete ones: 8 windows of 30 s, and what a clock may be off

struct slice_entry {
    uint32_t value;
    uint32_t samples;
    uint64_t ns;
};

struct slice {
    const struct slice_entry *entries;
    size_t count;
};

struct slices;

struct slices *slices_new(size_t most_entries); // of one slice
void slices_free(struct slices *slices);
struct slices *slices_copy(const struct slices *slices);

// Counts into the slice that is being filled. False, and nothing is counted: it is full.
bool slices_add(struct slices *slices, uint32_t value, uint64_t samples, uint64_t ns);

// Counts what a full slice had no room for, at a value of the root, which it always has room for.
void slices_add_root(struct slices *slices, uint32_t value, uint64_t samples, uint64_t ns);

// Completes slices up to now (ns of any clock that does not go back). The first call says when the
// first slice begins.
void slices_advance(struct slices *slices, int64_t now);

// Forgets everything.
void slices_clear(struct slices *slices);

// How many are complete (at most SLICES_KEPT), and the one that was completed `back` before the
// newest of them: 0 is the newest.
size_t slices_count(const struct slices *slices);
struct slice slices_get(const struct slices *slices, size_t back);

// Gives values their new numbers.
void slices_renumber(struct slices *slices, const uint32_t *values);

size_t slices_entry_count(const struct slices *slices); // of all slices
uint64_t slices_folded(const struct slices *slices);    // samples that a root had to take
