// SPDX-License-Identifier: MIT
// One walk over the trie of stacks, depth first: what lies between the root and a node is marked on
// its functions and edges, so that none counts twice in a stack. The cost is linear in nodes.
#include <stdlib.h>

#include "base/mem.h"
#include "rows/call_parts.h"

struct mark { // a frame's; CALL_NONE: something nearer to the root has made it
    uint32_t function, edge;
};

struct step { // a node between the root and where the walk is
    uint32_t next;   // child to visit, 0: none is left
    uint32_t caller; // the last function that is kept, CALL_NONE before the first one
    bool residual;   // functions that are not kept came after it
    size_t marks;    // that were there before the node's
};

struct walk {
    struct call_graph *graph;
    const bool *kept;
    bool edges; // they are wanted
    bool *function_marked, *edge_marked;
    size_t edge_capacity, marked_capacity;
    struct map numbers; // caller << 32 | callee -> edge
    struct mark *marks;
    size_t mark_count, mark_capacity;
    struct step *steps;
    size_t step_count, step_capacity;
};

static uint32_t edge_of(struct walk *walk, uint32_t caller, uint32_t callee)
{
    struct call_graph *graph = walk->graph;
    uint64_t key = (uint64_t)caller << 32 | callee;
    uint32_t edge = map_get(&walk->numbers, key, CALL_NONE);
    if (edge != CALL_NONE)
        return edge;
    ARRAY_RESERVE(graph->edges, graph->edge_count, walk->edge_capacity);
    ARRAY_RESERVE(walk->edge_marked, graph->edge_count, walk->marked_capacity);
    edge = (uint32_t)graph->edge_count++;
    graph->edges[edge] = (struct call_edge){.caller = caller, .callee = callee, .inlined = true};
    walk->edge_marked[edge] = false;
    map_put(&walk->numbers, key, edge);
    return edge;
}

static uint32_t count_edge(struct walk *walk, const struct step *at, uint32_t callee,
                           bool inlined, int64_t cost)
{
    if (!walk->edges || at->caller == CALL_NONE || at->caller == callee)
        return CALL_NONE;
    uint32_t number = edge_of(walk, at->caller, callee);
    if (walk->edge_marked[number])
        return CALL_NONE;
    walk->edge_marked[number] = true;
    struct call_edge *edge = &walk->graph->edges[number];
    edge->weight = call_add(edge->weight, cost);
    edge->residual |= at->residual;
    edge->inlined &= inlined;
    return number;
}

static void count_frame(struct walk *walk, struct step *at, uint32_t number, bool inlined,
                        int64_t cost)
{
    struct mark mark = {CALL_NONE, count_edge(walk, at, number, inlined, cost)};
    if (!walk->function_marked[number]) {
        struct call_function *function = &walk->graph->functions[number];
        walk->function_marked[number] = true;
        function->total = call_add(function->total, cost);
        mark.function = number;
    }
    ARRAY_RESERVE(walk->marks, walk->mark_count, walk->mark_capacity);
    walk->marks[walk->mark_count++] = mark;
    at->caller = number;
    at->residual = false;
}

static void enter(struct walk *walk, uint32_t node, struct step at)
{
    const struct call_parts *parts = walk->graph->parts;
    at.marks = walk->mark_count;
    at.next = parts->child[node];
    if (node) {
        uint32_t location = walk->graph->profile->stacks.nodes[node].location;
        uint32_t first = parts->first[location], end = parts->first[location + 1];
        for (uint32_t i = first; i < end; i++) {
            if (walk->kept && !walk->kept[parts->of[i]])
                at.residual = true;
            else
                count_frame(walk, &at, parts->of[i], i > first, parts->sums[node]);
        }
    }
    if (at.caller != CALL_NONE && !at.residual) {
        int64_t *self = &walk->graph->functions[at.caller].self;
        *self = call_add(*self, parts->own[node]);
    }
    ARRAY_RESERVE(walk->steps, walk->step_count, walk->step_capacity);
    walk->steps[walk->step_count++] = at;
}

static void leave(struct walk *walk)
{
    size_t marks = walk->steps[--walk->step_count].marks;
    while (walk->mark_count > marks) {
        struct mark mark = walk->marks[--walk->mark_count];
        if (mark.function != CALL_NONE)
            walk->function_marked[mark.function] = false;
        if (mark.edge != CALL_NONE)
            walk->edge_marked[mark.edge] = false;
    }
}

static void walk_stacks(struct walk *walk)
{
    const struct call_parts *parts = walk->graph->parts;
    enter(walk, 0, (struct step){.caller = CALL_NONE});
    while (walk->step_count) {
        struct step *top = &walk->steps[walk->step_count - 1];
        uint32_t node = top->next;
        if (!node) {
            leave(walk);
            continue;
        }
        top->next = parts->sibling[node];
        if (parts->used[node])
            enter(walk, node, *top);
    }
}

void call_walk(struct call_graph *graph, const bool *kept, bool edges)
{
    struct walk walk = {.graph = graph, .kept = kept, .edges = edges};
    for (size_t i = 0; i < graph->function_count; i++)
        graph->functions[i].self = graph->functions[i].total = 0;
    free(graph->edges);
    graph->edges = NULL;
    graph->edge_count = 0;
    walk.function_marked = xcalloc(graph->function_count + 1, sizeof *walk.function_marked);
    walk_stacks(&walk);
    free(walk.function_marked);
    free(walk.edge_marked);
    map_fini(&walk.numbers);
    free(walk.marks);
    free(walk.steps);
}
