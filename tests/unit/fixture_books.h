// SPDX-License-Identifier: MIT
// Books of allocators that a test lays out in its own memory: this process as a target, and what a
// walk of them visits.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "heap/allocator.h"

// Returns this process as a target, with its mappings as they are now.
struct heap_target *fixture_books_target(void);

// Maps zeroed memory, of which `touched` bytes are there.
void *fixture_books_map(size_t length, size_t touched);

struct fixture_walk {
    uint64_t blocks, bytes;   // visited
    uint64_t least, most;     // addresses, the last byte included
    uint64_t first_words;     // sum of the first words of blocks that are there
    struct walk_quality quality;
    struct heap_figures figures;
};

// Finds an allocator's books in the target, counts and walks them. False when there are none.
bool fixture_books_walk(struct fixture_walk *walk, const struct allocator *allocator,
                        struct heap_target *target);
