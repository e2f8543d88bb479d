// SPDX-License-Identifier: MIT
// The radix trees of two levels by which jemalloc and tcmalloc tell what lies in a page: a root of
// pointers in the .bss of a module, and leaves of one word for each page. Neither needs a symbol: a
// leaf is told by its words, which lead to descriptions of the very pages that they stand for, and
// where the pointer to a leaf lies tells where the root begins.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/target.h"

#define RADIX_LEAF_WORDS (1ull << 18)
#define RADIX_LEAF_BYTES (RADIX_LEAF_WORDS * 8)
#define RADIX_NO_PAGE UINT64_MAX

struct radix_shape {
    unsigned page_shift; // a page is 1 << page_shift bytes
    unsigned root_bits;  // the root has 1 << root_bits pointers
    unsigned alignment;  // of a leaf
    uint64_t mask;       // of a leaf's word: the address that it leads to, if it leads anywhere
    // Returns whether the module with data [start, end) has signs of such a tree.
    bool (*is_module)(struct heap_target *target, uint64_t start, uint64_t end);
    // Returns the number of the page that the word at `index` of a leaf describes; RADIX_NO_PAGE
    // when what it leads to does not fit. It must not use the view's window.
    uint64_t (*page_of)(struct heap_target *target, uint64_t word, uint64_t index);
};

struct radix_leaf {
    uint64_t address;
    uint64_t first_page; // number of the page that its first word stands for
};

struct radix_tree { // zeroed: not found
    uint64_t root; // address
    uint64_t data, data_end; // of its module; of one that has signs of a tree but none
    struct radix_leaf *leaves; // ascending; owned
    size_t count, capacity;
};

// Finds the tree in the modules of a process. False when there is none. The caller frees it in any
// case.
bool radix_tree_find(struct radix_tree *tree, struct heap_target *target,
                     const struct radix_shape *shape);
void radix_tree_fini(struct radix_tree *tree);

// Returns the page that a word at `index` of a leaf stands for when it describes [start, end);
// RADIX_NO_PAGE when none of these pages belongs there, or they do not begin and end in mappings.
uint64_t radix_page_within(const struct heap_target *target, unsigned page_shift, uint64_t index,
                           uint64_t start, uint64_t end);

struct radix_word {
    uint64_t word;
    uint32_t index; // in its leaf
};

// Copies the words of a leaf that lead anywhere, and the first one of several that lead to the same
// address. `words` has RADIX_LEAF_WORDS elements.
size_t radix_leaf_words(struct heap_target *target, const struct radix_shape *shape,
                        const struct radix_leaf *leaf, struct radix_word *words);
