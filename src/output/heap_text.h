// SPDX-License-Identifier: MIT
// What texts of heaps count: "objects: bytes [objects: bytes]", in use and allocated so far. Some
// programs record only allocations that they pick by chance, a larger one sooner: these stand for
// more, and are scaled as google/pprof does.
#pragma once

#include "output/legacy.h"

struct heap_counts {
    int64_t objects, bytes, all_objects, all_bytes; // in use, and allocated so far
};

struct heap_text {
    struct legacy legacy;
    bool has_all; // what was allocated so far is told
    bool scaled;  // by chance, one in `to->period` bytes
};

// Takes "1: 2 [3: 4]". Returns false when that does not come next.
bool heap_counts_take(struct text_span *scan, struct heap_counts *counts);

// Sets types and period. The header has the sums, which say whether allocations are told.
void heap_text_begin(struct heap_text *text, const struct heap_counts *sums, int64_t period,
                     bool scaled);

// Adds a sample of the stack at hand.
enum rc heap_text_add(struct heap_text *text, const struct heap_counts *counts, size_t line)
    MUST_CHECK;
