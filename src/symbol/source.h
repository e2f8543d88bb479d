// SPDX-License-Identifier: MIT
// Where the symbols of one module come from, and what is known of them. Private to the symbolizer.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/map.h"
#include "process/module.h"

#define SOURCE_PENDING UINT32_MAX // a value in `known`: wanted, but not asked for yet

struct wanted {
    uint64_t vaddr, offset;
};

struct source { // zeroed before use
    const struct module *module; // set with the first of `wanted`
    struct map known;      // file offset -> index into entries, + 1
    uint32_t unknown;      // index + 1 of the entry for all offsets without a name; 0: not made
    struct wanted *wanted;
    size_t wanted_count, wanted_capacity;
    unsigned failures;     // how many times reading its files failed
    enum rc failure;       // of the last failure
    bool has_lines;
    char *tried;           // where debug files were looked for; NULL: not asked yet
    char *downloaded;      // path of a debug file from a server; NULL: none
};

void source_fini(struct source *source);

void source_want(struct source *source, const struct module *module, uint64_t vaddr,
                 uint64_t offset);

// Sorts `wanted` by address: what is asked in one question lies together, so little is read twice.
void source_sort(struct source *source);

// Drops from `wanted` what has been answered.
void source_keep_pending(struct source *source);

// Puts all places that are known into `wanted` again.
void source_want_again(struct source *source);

// Returns what went wrong when its files were read, or NULL.
const char *source_problem(const struct source *source);
