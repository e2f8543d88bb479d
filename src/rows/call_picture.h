// SPDX-License-Identifier: MIT
// What of a call graph a picture shows: `go tool pprof` chooses functions by how much there is to
// see at them rather than by their costs, and leaves out residual edges that another way makes
// superfluous.
#pragma once

#include "rows/call_graph.h"
#include "rows/call_tags.h"

struct call_picture {
    uint32_t *functions; // the most interesting first
    size_t count;
    uint32_t *edges; // the heaviest first
    size_t edge_count;
    size_t candidates;        // functions among which these were chosen
    size_t dropped_functions; // whose total was below the fraction
    size_t dropped_edges;     // the same of edges
};

#define CALL_TAGS_SHOWN 4 // at most so many of a function

// Chooses functions and edges. The graph is left with these functions. tags: those that will be
// drawn, each of which takes the place of a function; NULL: none.
void call_picture_init(struct call_picture *picture, struct call_graph *graph,
                       const struct call_trim *trim, const struct call_tags *tags);
void call_picture_fini(struct call_picture *picture);
