// SPDX-License-Identifier: MIT
// Where the names of one module come from, and what is known of them. The symbolizer's own.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "process/module.h"

#define SOURCE_PENDING UINT32_MAX // in `known`: wanted, not asked for yet

struct wanted {
    uint64_t vaddr, offset;
};

struct source { // zeroed before use
    const struct module *module; // set with the first of `wanted`
    struct map known;      // file offset -> index into entries, + 1
    uint32_t unknown;      // index + 1 of what all offsets without a name get; 0 until needed
    struct wanted *wanted;
    size_t wanted_count, wanted_capacity;
    unsigned failures;     // times that reading its files did not end well
    enum rc failure;       // of the last of them
    bool has_lines;
    char *tried;           // NULL: not asked about yet
    char *downloaded;      // debug file from a server, NULL: none
};

void source_fini(struct source *source);

void source_want(struct source *source, const struct module *module, uint64_t vaddr,
                 uint64_t offset);

// By address: what is asked at once lies together, so that little is read twice.
void source_sort(struct source *source);

// Drops from `wanted` what has been answered.
void source_keep_pending(struct source *source);

// All that is known is wanted once more.
void source_want_again(struct source *source);

// What went wrong while its files were read, NULL: nothing.
const char *source_problem(const struct source *source);
