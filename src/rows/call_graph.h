// SPDX-License-Identifier: MIT
// A call graph says what the functions of a plain profile cost and who called whom, in the numbers
// of `go tool pprof`. A function counts once in a stack however often it recurses there, and so
// does an edge. Functions are told apart by name, whatever module or file they are in; code without
// a name is told apart by the file of its mapping. Costs of a difference may be below 0.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "profile/plain.h"

struct call_function {
    uint32_t name;     // text; 0: its code has none, and the next two tell it apart
    uint32_t module;   // text: path of the mapping's file
    uint32_t start_line;
    uint32_t rank;     // where it stands among all functions by the name that is shown
    bool shown;        // it is in the graph, which has not dropped it, and has any cost
    int64_t self, total;
};

struct call_edge { // between two functions, never from one to itself
    uint32_t caller, callee;
    int64_t weight;
    bool inlined;  // each such call was inlined into the caller
    bool residual; // functions that stood between the two were dropped
};

struct call_edges { // of one function, the heaviest first
    const uint32_t *list; // numbers of edges
    size_t count;
};

enum call_order { CALL_BY_SELF, CALL_BY_TOTAL };

struct call_dropped {
    size_t functions;    // whose total was below a fraction of all
    size_t edges;        // the same of edges
    size_t beyond_count; // further functions, because only so many were asked for
};

struct call_graph { // read only; owned
    const struct plain_profile *profile; // borrowed
    size_t value;   // number of the type
    int64_t all;    // what percentages are of (call_graph_all); callers that filter may set it
    struct call_function *functions;
    size_t function_count;
    struct call_edge *edges;
    size_t edge_count;
    uint32_t *order; // functions that are shown; sorted by call_graph_sort and _trim
    size_t shown;
    struct call_dropped dropped;
    struct call_parts *parts; // what graphs are made of
};

// Makes the graph of all functions. The profile must stay as it is.
struct call_graph *call_graph_new(const struct plain_profile *profile, size_t value);

// Makes the same without edges, which take most of the time.
struct call_graph *call_graph_functions(const struct plain_profile *profile, size_t value);
void call_graph_free(struct call_graph *graph);

// Returns what pprof takes percentages of: the sum of what samples have, each without its sign; if
// there are samples with the label pprof::base=true, as in a difference, of those alone.
int64_t call_graph_all(const struct plain_profile *profile, size_t value);

// Makes the graph anew of the functions for which kept[function] says so: numbers of functions
// stay. A call through functions that are not kept becomes a residual edge; the self cost of a
// function that is not kept is nobody's.
void call_graph_keep(struct call_graph *graph, const bool *kept);

// Returns a fraction of all that functions have as self cost.
int64_t call_graph_fraction(const struct call_graph *graph, double fraction);

// Drops functions whose total is below a cost, and makes the graph anew of the others.
void call_graph_drop_functions(struct call_graph *graph, int64_t least);

void call_graph_sort(struct call_graph *graph, enum call_order order);

// Drops edges below a cost, which must be those to functions that are shown, and returns how many.
size_t call_graph_drop_edges(struct call_graph *graph, int64_t least);

struct call_trim {
    double function_fraction, edge_fraction; // of all that functions have as self cost
    size_t count;                            // of functions; 0: any number
    enum call_order order;
};
#define CALL_FUNCTION_FRACTION 0.005 // as in pprof
#define CALL_EDGE_FRACTION 0.001
#define CALL_TREE_COUNT 80

// Keeps what pprof shows in its text reports, and sorts it. The graph needs no edges before.
void call_graph_trim(struct call_graph *graph, const struct call_trim *trim);

// Return the edges of a function to what calls it, and to what it calls.
struct call_edges call_graph_callers(const struct call_graph *graph, uint32_t function);
struct call_edges call_graph_callees(const struct call_graph *graph, uint32_t function);

// Returns the numbers of the functions that a location stands for, the root's side first. A
// location without lines is one.
struct call_span {
    const uint32_t *functions;
    size_t count;
} call_graph_location(const struct call_graph *graph, uint32_t location);

// Appends the name that pprof shows, raw: "[libc.so.6]" and "<unknown>" where there is none.
void call_graph_name(const struct call_graph *graph, uint32_t function, struct buf *name);
