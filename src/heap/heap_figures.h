// SPDX-License-Identifier: MIT
// What an allocator's books say: one row for each figure, bytes unless its unit is a count.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// name, key in JSON, unit, what it is
#define HEAP_FIGURES(X)                                                                            \
    X(ARENAS, "arenas", "count", "heaps that threads share")                                       \
    X(SYSTEM, "system", "bytes", "obtained from the kernel, mappings of single blocks included")   \
    X(IN_USE, "in_use", "bytes", "of blocks that the program has")                                 \
    X(IN_USE_BLOCKS, "in_use_blocks", "count", "blocks that the program has")                      \
    X(FREE, "free", "bytes", "that can be given out again, what is cached included")               \
    X(CACHED, "cached", "bytes", "of free blocks that caches of threads or bins hold")             \
    X(MAPPED, "mapped", "bytes", "of blocks that have a mapping of their own")                     \
    X(MAPPED_BLOCKS, "mapped_blocks", "count", "blocks that have a mapping of their own")          \
    X(METADATA, "metadata", "bytes", "of the allocator's own books")                               \
    X(TRIMMABLE, "trimmable", "bytes", "of whole free pages that could go back to the kernel")     \
    X(RELEASED, "released", "bytes", "of what was obtained, given back: addresses without memory") \
    X(TOTAL, "total", "bytes", "obtained from the kernel for all purposes: stacks and books too")

enum figure {
#define X(name, key, unit, text) FIGURE_##name,
    HEAP_FIGURES(X)
#undef X
    FIGURE_COUNT
};

struct heap_figures { // zeroed: nothing is known
    uint64_t value[FIGURE_COUNT];
    bool known[FIGURE_COUNT];
    const char *why[FIGURE_COUNT]; // why it is not known; NULL: the books do not say it
};

struct heap_figure_row {
    const char *key, *unit, *text;
};

extern const struct heap_figure_row heap_figure_rows[FIGURE_COUNT];

void heap_figures_set(struct heap_figures *figures, enum figure figure, uint64_t value);
void heap_figures_unknown(struct heap_figures *figures, enum figure figure, const char *why);
