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

struct tcmalloc_caches { // zeroed: none was found
    struct address_list blocks; // that they hold, sorted
    uint64_t bytes, count;      // of the blocks that they say they hold
    bool threads, central;      // which of them were found
};

void tcmalloc_caches_read(struct tcmalloc_caches *caches, const struct tcmalloc_tree *tree);
void tcmalloc_caches_fini(struct tcmalloc_caches *caches);
