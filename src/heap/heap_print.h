// SPDX-License-Identifier: MIT
// Prints a census, and what grew between two. All text of the target is escaped.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "heap/heap_table.h"
#include "heap/target.h"

#define HEAP_TOP 30 // rows of a table unless more are asked for

struct heap_printing { // all borrowed
    const struct heap_census *census;
    const struct heap_census *before; // the walk before it; NULL: there was one
    struct heap_target *target;       // its mappings, and the first bytes of examples, are read now
    unsigned by;                      // set of HEAP_BIT; text only
    size_t top;                       // rows at most; text only
    unsigned examples; // blocks of each row whose first bytes are printed: the target's data
};

// Prints for people: the allocators and how good the answer is, then a table. Of a process without
// an allocator that is known: its mappings.
void heap_text(struct buf *out, const struct heap_printing *printing);

// Prints a JSON document, schema 1, described in ptprof(1), which output/census_parse.c reads.
void heap_json(struct buf *out, const struct heap_printing *printing);

struct heap_growth { // what a table says of two times or three; all borrowed
    struct heap_table *table; // is sorted
    bool first;    // it has HEAP_FIRST too; rows are sorted by that
    int64_t since[HEAP_TIMES]; // ns from these times to now; 0: not known
    size_t top;                // rows at most
    int64_t time;              // of now, CLOCK_REALTIME ns
    const char *title;         // what is compared, escaped
    bool incomplete;           // one of the censuses was
};

// Prints what grew, the most first, with totals.
void heap_growth_text(struct buf *out, const struct heap_growth *growth);

// Prints the same as one JSON document in a line.
void heap_growth_json(struct buf *out, const struct heap_growth *growth);

// Appends the first bytes of a block between quotes, escaped; nothing when they are not there.
void heap_first_bytes(struct buf *out, struct heap_target *target, uint64_t address);

// --- parts ---

struct heap_columns { // of what a table is grouped by
    int width[HEAP_BY_COUNT]; // 0: it is not shown
};

// Returns columns for the first rows of a table. Its only allocator is not shown unless somebody
// asked for it.
struct heap_columns heap_columns_of(const struct heap_table *table, size_t rows);

// Appends headings, and the cells of a row, each to the end of a line.
void heap_put_headings(struct buf *out, const struct heap_columns *columns);
void heap_put_words(struct buf *out, const struct heap_columns *columns,
                    const struct heap_table *table, const struct heap_row *row);

void heap_json_words(struct json *json, const struct heap_table *table,
                     const struct heap_row *row);
