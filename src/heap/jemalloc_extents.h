// SPDX-License-Identifier: MIT
// jemalloc's extents: runs of pages, each one slab of equal regions or one large block, or free.
// They are described by structs of 128 bytes that its radix tree leads to; where their fields lie
// depends on the release.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/address_list.h"
#include "heap/radix_tree.h"

#define JEMALLOC_PAGE 4096u
#define JEMALLOC_BINS 36u          // size classes of slabs
#define JEMALLOC_STRETCH (2ull << 20) // what its own books lie in are multiples, at multiples
#define JEMALLOC_MAP_WORDS 8u      // of the bits of a slab, one for each region

enum jemalloc_state { EXTENT_ACTIVE, EXTENT_DIRTY, EXTENT_MUZZY, EXTENT_RETAINED };

struct extent {
    uint64_t address; // where its block begins; for slabs the first page
    uint64_t size;    // bytes of its pages
    uint16_t arena, free; // free: regions that are, in a slab
    uint8_t size_class, state;
    bool slab, torn; // torn: a slab that was read while it changed
    uint64_t map[JEMALLOC_MAP_WORDS]; // of a slab: which regions are free
};

struct extent_layout { // of the bits that describe an extent
    const char *releases;
    unsigned state_shift, state_mask, class_shift, free_shift;
    uint64_t flags; // lower bits of a leaf's word that do not belong to the address
};

struct jemalloc_tree { // zeroed: not found
    struct heap_target *target;
    const struct extent_layout *layout;
    struct radix_tree radix;
};

bool jemalloc_tree_find(struct jemalloc_tree *tree, struct heap_target *target);
void jemalloc_tree_fini(struct jemalloc_tree *tree);

// Returns the bytes of blocks of a size class.
uint64_t jemalloc_class_size(unsigned size_class);

struct leaf_extents { // of a leaf, by address
    struct extent *list; // owned
    size_t count, damaged; // damaged: descriptions that did not fit
    struct address_list described; // stretches of 2 MiB that descriptions lie in, ascending
};

// Reads what the pages of a leaf hold.
void jemalloc_extents_read(struct leaf_extents *extents, const struct jemalloc_tree *tree,
                           const struct radix_leaf *leaf);
void jemalloc_extents_fini(struct leaf_extents *extents);
