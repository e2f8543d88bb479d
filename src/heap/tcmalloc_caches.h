// SPDX-License-Identifier: MIT
// The caches of gperftools' tcmalloc (2.7 and later): each thread's lists of free blocks, and the
// chains that wait in the central ones to be moved. They are found among the data of the module by
// the sizes of the classes, which each cache repeats, and by their numbers, in which the central
// ones stand.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "heap/address_list.h"
#include "heap/tcmalloc_spans.h"

struct tcmalloc_places { // addresses; 0: not found
    uint64_t threads; // of the pointer to the first cache of a thread
    uint64_t central; // of the central cache of class 1
};

void tcmalloc_places_find(struct tcmalloc_places *places, const struct tcmalloc_tree *tree);

struct tcmalloc_caches { // zeroed: none
    struct address_list blocks; // that they hold, sorted
    uint64_t bytes, count;      // of the blocks that they say they hold
};

void tcmalloc_caches_read(struct tcmalloc_caches *caches, const struct tcmalloc_tree *tree,
                          const struct tcmalloc_places *places);
void tcmalloc_caches_fini(struct tcmalloc_caches *caches);
