// SPDX-License-Identifier: MIT
// The table of pymalloc's arenas. Its variable is static, and since 3.12 part of a larger one: it
// is found by its name where symbols have it, else as the pointer among CPython's variables that
// leads to such a table. Each entry is checked, and the first one's pool must name its entry.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "heap/cpython.h"

struct pymalloc_arena {
    uint64_t address; // of its memory
    uint64_t pools;   // address of its first pool
    uint64_t end;     // behind the last pool that was ever used
    uint32_t index;   // in the table
    uint32_t count;   // of pools that fit
};

struct pymalloc_arenas {
    struct pymalloc_arena *list; // those in use, ascending by address; none overlap
    size_t count, capacity;
    uint64_t entries;  // of the table
    uint64_t bytes;    // of an arena
    uint32_t pool_bytes, alignment;
};

// Returns whether there is such a table. The caller frees its list, which may be NULL.
bool pymalloc_arenas_find(struct pymalloc_arenas *arenas, struct heap_target *target,
                          const struct cpython *python);
