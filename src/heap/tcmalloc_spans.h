// SPDX-License-Identifier: MIT
// Spans of gperftools' tcmalloc: runs of pages of 8 KiB, of one large block each or of equal small
// ones, or free. Those of small blocks keep a list of the ones that are free, through their first
// words.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/radix_tree.h"

#define TCMALLOC_PAGE_SHIFT 13
#define TCMALLOC_CLASSES 128u    // at most; class 0 is that of large blocks
#define TCMALLOC_OBJECTS 65536u  // small blocks of a span, at most

enum span_location { SPAN_IN_USE, SPAN_FREE, SPAN_RETURNED };

struct page_span {
    uint64_t start, length; // pages
    uint64_t objects;       // address of the first small block that is free
    uint64_t described;     // address of this description
    uint16_t used;          // small blocks that are not on the list, those in caches included
    uint8_t size_class, location;
};

struct tcmalloc_tree { // zeroed: not found
    struct heap_target *target;
    struct radix_tree radix;
    uint32_t sizes[TCMALLOC_CLASSES]; // bytes of the blocks of each class
    uint32_t classes;                 // 0: the table of sizes was not found
};

bool tcmalloc_tree_find(struct tcmalloc_tree *tree, struct heap_target *target);
void tcmalloc_tree_fini(struct tcmalloc_tree *tree);

struct leaf_spans { // of a leaf, by address
    struct page_span *list; // owned
    size_t count;
};

// Reads what the pages of a leaf hold. Words that describe no page of theirs are left over from
// what lay there once, and no fault. The caller frees the list.
void tcmalloc_spans_read(struct leaf_spans *spans, const struct tcmalloc_tree *tree,
                         const struct radix_leaf *leaf);

// Reads the description of a span again.
bool tcmalloc_span_again(const struct tcmalloc_tree *tree, struct page_span *span);

// Returns how many small blocks a span is of; 0 when it is of none or of a class that is unknown.
uint64_t tcmalloc_span_blocks(const struct tcmalloc_tree *tree, const struct page_span *span);
