// SPDX-License-Identifier: MIT
// How what a process's memory is used for is printed, by ptprof memory and for servers.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "heap/memory_use.h"

struct memory_style {
    bool pss, maps;  // were asked for
    bool watching;
    uint64_t looks;  // so far, this one included
    int64_t since_last, since_first; // ns
    const struct memory_use *last, *first; // looks of the same image before; NULL: there is none
};

// Appends a block of text.
void memory_text(struct buf *out, const struct memory_use *use, const struct memory_style *style);

// Appends one line: what there is, and what has grown since the last look and since the first.
void memory_line(struct buf *out, const struct memory_use *use, const struct memory_style *style);

// Writes an object.
void memory_json_put(struct json *json, const char *key, const struct memory_use *use,
                     const struct memory_style *style);

// Appends a document and a newline.
void memory_json(struct buf *out, const struct memory_use *use, const struct memory_style *style);

// --- figures ---

// Returns how many percent of what an allocator has of the kernel are free and could not go back;
// below 0: that is not known.
double memory_fragmentation(const struct heap_figures *figures);

// One of Go's runtime.MemStats.
struct memory_go_row {
    const char *name;
    // Returns the figure, or MEMORY_UNKNOWN with its reason in *why.
    uint64_t (*count)(const struct memory_use *use, const char **why);
    const char *why; // of those that nobody can know, whose `count` is NULL
};
extern const struct memory_go_row memory_go_rows[]; // ends in a row without a name
