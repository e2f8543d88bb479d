// SPDX-License-Identifier: MIT
// The cells of a flame graph. A cell is a function below its callers: a trie of functions, where
// that of a profile is one of addresses. Cells have no sizes yet: these follow from the samples
// that are chosen. This header is private to the makers of flame graphs.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/map.h"
#include "base/strtab.h"
#include "output/flame.h"

#define FLAME_ROOT 0         // the cell of all samples; it has no frame
// How many cells there are at most: what lies deeper then counts for its caller. The second bound
// is for each stack of a profile: more than inlining makes of one, but less than a small file can
// say, in which a location with a thousand lines is a thousand times in a stack.
#define FLAME_CELLS 4000000u
#define FLAME_CELLS_STACK 16u
#define FLAME_CELLS_SMALL 100000u // that a small profile may have

struct flame_type {
    uint32_t name, unit;      // texts
    size_t in[2]; // number of the type in each profile
};

struct flame_frame {
    uint32_t name, module, file; // texts
    bool made; // by the process: code of a JIT
};

struct graph_cell {
    uint32_t parent, frame; // a parent has a lower number than its children
    uint32_t kids;          // children, whose numbers follow each other, the largest first
    int64_t line;           // where most of it is; 0: not known
    bool several;           // lines
    bool inlined;
    bool again; // the same function calls it
    uint64_t weight; // of that line, in the type that is shown first
};

struct flame_label {
    uint32_t key, text;
};

struct flame_set { // of labels
    uint32_t first, count; // in set_labels
};

struct flame_sample {
    uint32_t cell, set;
};

struct flame_side { // the samples of one profile
    struct flame_sample *list;
    size_t count, capacity;
    int64_t *values; // [sample * type_count + type]
    size_t value_capacity;
    uint64_t cut; // of its samples, those that count for a caller
};

struct flame_cells {
    const struct flame_request *request;
    size_t side_count;    // 1; or 2: the base is side 0
    struct strtab texts;  // as they are shown: escaped, valid UTF-8
    struct flame_type *types;
    size_t type_count, type_capacity, shown;
    struct flame_frame *frames;
    size_t frame_count, frame_capacity;
    struct graph_cell *list;
    size_t count, capacity, most;
    struct flame_label *labels;
    size_t label_count, label_capacity;
    struct flame_set *sets;
    size_t set_count, set_capacity;
    uint32_t *set_labels;
    size_t set_label_count, set_label_capacity;
    struct flame_side sides[2];
};

// RC_USAGE as flame_page_write says; then there is nothing to free.
enum rc flame_cells_init(struct flame_cells *cells, const struct flame_request *request,
                         struct err *err) MUST_CHECK;
void flame_cells_fini(struct flame_cells *cells);

const char *flame_cells_text(const struct flame_cells *cells, uint32_t text);

// Returns the profile that a side is of.
const struct plain_profile *flame_cells_profile(const struct flame_cells *cells, size_t side);

// Returns how much each cell has of the type shown first, with all that it calls: [cell]. Values
// below 0 count as nothing. The caller frees it.
double *flame_cells_totals(const struct flame_cells *cells, size_t side);
