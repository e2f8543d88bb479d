// SPDX-License-Identifier: MIT
// What the functions of a call graph have of each combination of labels, as pprof counts it: the
// texts of a sample together are one tag, and its number "bytes" another one below that.
#pragma once

#include "base/strtab.h"
#include "rows/call_graph.h"

struct call_tag {
    uint32_t text;    // in the texts of the tags: "key:value" line by line; 0: none
    uint32_t number;  // the same: "16B"; 0: this is the tag of the text
    int64_t value;    // of the number
    const char *unit; // of it; borrowed from the profile
    int64_t self, total;
};

struct call_tags {
    struct strtab texts;
    struct call_tag *list; // of each function in turn; those of a number come behind their text's
    uint32_t *first;       // [function + 1]
    size_t kinds;          // how many different ones there are
};

// Counts for the functions that the graph shows, and leaves out what has less than `least`.
void call_tags_init(struct call_tags *tags, const struct call_graph *graph, int64_t least);
void call_tags_fini(struct call_tags *tags);

// Returns how many tags of a function's own cost there are.
size_t call_tags_count(const struct call_tags *tags, uint32_t function);
