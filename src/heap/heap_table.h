// SPDX-License-Identifier: MIT
// Counts of blocks, grouped: by what they are, their allocator and so on. A row has what was
// counted at up to three times, so that one table says what there is, what moved, and what grew
// since when. Texts are raw bytes of the target or a file; whoever prints them escapes them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/strtab.h"
#include "heap/heap_census.h"
#include "profile/plain.h"

// name, word in options and key in JSON; in the order of columns
#define HEAP_BY(X)                                                                                 \
    X(KIND, "kind")                                                                                \
    X(WHAT, "what")                                                                                \
    X(SIZE, "size")                                                                                \
    X(ALLOCATOR, "allocator")                                                                      \
    X(ARENA, "arena")

enum heap_by {
#define X(name, word) HEAP_BY_##name,
    HEAP_BY(X)
#undef X
    HEAP_BY_COUNT
};

extern const char *const heap_by_words[]; // [enum heap_by], ends in NULL

#define HEAP_BIT(by) (1u << (by)) // in a set of them
#define HEAP_BY_ALL (HEAP_BIT(HEAP_BY_COUNT) - 1)

enum heap_time {
    HEAP_NOW,
    HEAP_BEFORE, // the walk, look or file before
    HEAP_FIRST,  // the first look
    HEAP_TIMES
};

struct heap_amount {
    uint64_t blocks, bytes;
};

struct heap_row {
    uint32_t texts[HEAP_BY_COUNT]; // 0: not grouped by that, or it has none
    uint64_t size;                 // by size: as in struct block_count
    struct heap_amount at[HEAP_TIMES];
    uint64_t examples[HEAP_EXAMPLES]; // of now; 0: no more
    bool unknown;                     // nothing says what the blocks are
};

struct heap_table {
    unsigned by; // set of HEAP_BIT
    bool asked;  // somebody asked for that; otherwise it is as most people like it
    struct strtab texts;
    struct map ids; // hash of a row's texts -> its number
    struct heap_row *rows;
    size_t count, capacity;
    struct heap_amount total[HEAP_TIMES];
};

// Groups by what a row is and by its allocator, unless `by` says more.
void heap_table_init(struct heap_table *table, unsigned by);
void heap_table_fini(struct heap_table *table);

void heap_table_add_census(struct heap_table *table, const struct heap_census *census,
                           enum heap_time time);

// Adds what a profile of memory in use has: of ours all, of others the innermost function as what
// it is. `objects` and `space` are the numbers of its values; SIZE_MAX: it has none.
void heap_table_add_profile(struct heap_table *table, const struct plain_profile *profile,
                            size_t objects, size_t space, enum heap_time time);

const char *heap_table_text(const struct heap_table *table, const struct heap_row *row,
                            enum heap_by by);

// Sort a table to which nothing is added any more: by its texts; by the bytes of now; by how much
// they grew since another time. The most comes first.
void heap_table_sort_texts(struct heap_table *table);
void heap_table_sort(struct heap_table *table);
void heap_table_sort_grown(struct heap_table *table, enum heap_time since);

// Say how much more there is now than at another of the HEAP_TIMES times of a row or a total.
int64_t heap_grown_bytes(const struct heap_amount *at, enum heap_time since);
int64_t heap_grown_blocks(const struct heap_amount *at, enum heap_time since);

struct heap_moves { // between two censuses of one process
    uint64_t blocks, bytes;             // of the rows of both, the larger one of each
    uint64_t moved_blocks, moved_bytes; // by which they differ
};

struct heap_moves heap_moves_between(const struct heap_census *before,
                                     const struct heap_census *now);
