// SPDX-License-Identifier: MIT
// What jemalloc keeps its own books in: each arena has a base, a chain of blocks of 2 MiB and more
// at such boundaries, whose oldest block begins with the base itself and the arena. From there the
// caches of threads are reached, which lie in the threads' own memory (release 5.3 only).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "heap/address_list.h"
#include "heap/target.h"

struct jemalloc_base { // zeroed: nothing was found
    struct address_list oldest; // the oldest block of each base
    uint64_t used, mapped;      // bytes, of all bases
    size_t unknown;             // bases whose books did not fit
};

// Adds the base that a block belongs to, unless it is there; nothing when it is no block of one.
void jemalloc_base_add(struct jemalloc_base *base, struct heap_target *target, uint64_t block);
void jemalloc_base_fini(struct jemalloc_base *base);

struct jemalloc_caches { // zeroed: none was found
    struct address_list blocks; // that they hold, sorted
    uint64_t bytes;
    size_t count; // caches
};

void jemalloc_caches_read(struct jemalloc_caches *caches, const struct jemalloc_base *base,
                          struct heap_target *target);
void jemalloc_caches_fini(struct jemalloc_caches *caches);
