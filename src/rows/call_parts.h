// SPDX-License-Identifier: MIT
// What call graphs of one profile are made of, each time that functions are dropped.
#pragma once

#include "base/map.h"
#include "rows/call_graph.h"

struct call_parts {
    uint32_t *first;     // [location + 1] of its functions
    uint32_t *of;        // functions of locations, the root's side first
    uint32_t *child, *sibling; // [node]: the first one below it, and the next one beside it
    int64_t *own, *sums; // [node]: of samples with it as leaf; with it anywhere
    bool *used;          // [node]: any of these samples has a value
    struct call_index {
        uint32_t *list;  // edges by function
        uint32_t *first; // [function + 1]: where those of a function begin
        bool *sorted;    // [function]: they stand by weight
    } callers, callees;
};

#define CALL_NONE UINT32_MAX

struct call_parts *call_parts_new(const struct plain_profile *profile, size_t value,
                                  struct call_graph *graph);
void call_parts_free(struct call_parts *parts);

// Adds up what functions have, and edges if they are wanted. kept: NULL for all functions.
void call_walk(struct call_graph *graph, const bool *kept, bool edges);

// Finds the edges of each function again, after edges came or went.
void call_index(struct call_graph *graph);

int64_t call_add(int64_t a, int64_t b); // stays within 64 bits
int64_t call_magnitude(int64_t value);
