// SPDX-License-Identifier: MIT
#include "rows/call_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows/call_parts.h"

// --- which functions are interesting ---

struct interest {
    uint32_t function, rank;
    int64_t score;
};

// Returns how many bits it takes to say which of the edges, or the function itself, had a cost.
static double entropy(const struct call_graph *graph, struct call_edges edges, int64_t self)
{
    double total = (double)self, bits = 0;
    for (size_t i = 0; i < edges.count; i++) {
        int64_t weight = graph->edges[edges.list[i]].weight;
        total += weight > 0 ? (double)weight : 0;
    }
    if (total == 0)
        return 0;
    for (size_t i = 0; i < edges.count; i++) {
        double part = (double)call_magnitude(graph->edges[edges.list[i]].weight) / total;
        bits -= part > 0 ? part * log2(part) : 0;
    }
    if (self > 0)
        bits -= (double)self / total * log2((double)self / total);
    return bits;
}

// Roots and leaves are interesting, and functions where ways part or meet.
static int64_t score_of(const struct call_graph *graph, uint32_t function)
{
    const struct call_function *at = &graph->functions[function];
    struct call_edges callers = call_graph_callers(graph, function);
    struct call_edges callees = call_graph_callees(graph, function);
    double score = callers.count ? entropy(graph, callers, 0) : 1;
    score += callees.count ? entropy(graph, callees, at->self) : 1;
    double sum = trunc(score * (double)at->total) + (double)at->self;
    return fabs(sum) < 9e18 ? (int64_t)sum : INT64_MAX;
}

static int compare_interests(const void *left, const void *right)
{
    const struct interest *a = left, *b = right;
    if (call_magnitude(a->score) != call_magnitude(b->score))
        return call_magnitude(a->score) < call_magnitude(b->score) ? 1 : -1;
    return (a->rank > b->rank) - (a->rank < b->rank);
}

// Fills in the functions that the graph shows.
static void sort_functions(struct call_picture *picture, const struct call_graph *graph)
{
    AUTO_FREE struct interest *interests = xcalloc(graph->function_count + 1, sizeof *interests);
    picture->count = 0;
    for (uint32_t i = 0; i < graph->function_count; i++)
        if (graph->functions[i].shown)
            interests[picture->count++] = (struct interest){
                .function = i,
                .rank = graph->functions[i].rank,
                .score = score_of(graph, i),
            };
    qsort(interests, picture->count, sizeof *interests, compare_interests);
    for (size_t i = 0; i < picture->count; i++)
        picture->functions[i] = interests[i].function;
}

// --- how many ---

// Returns how many functions there are room for: tags take up room too.
static size_t room(const struct call_picture *picture, size_t most, const struct call_tags *tags)
{
    size_t taken = 0;
    for (size_t i = 0; i < picture->count; i++) {
        size_t boxes = tags ? call_tags_count(tags, picture->functions[i]) : 0;
        taken += 1 + (boxes < CALL_TAGS_SHOWN ? boxes : CALL_TAGS_SHOWN);
        if (most && taken >= most)
            return i + 1;
    }
    return picture->count;
}

// The choice is made without edges that will not be shown; the graph of it has them again.
static void keep_first(struct call_picture *picture, struct call_graph *graph, size_t count)
{
    AUTO_FREE bool *kept = xcalloc(graph->function_count + 1, sizeof *kept);
    for (size_t i = 0; i < count; i++)
        kept[picture->functions[i]] = true;
    call_graph_keep(graph, kept);
    sort_functions(picture, graph);
}

// --- residual edges ---

struct detour {
    const struct call_graph *graph;
    const bool *removed; // [edge]
    uint32_t *seen;      // [function]: the last search that came there
    uint32_t *queue;
    uint32_t number; // of this search
};

// Says whether there is another way from the edge's caller to its callee.
static bool is_superfluous(struct detour *detour, uint32_t number)
{
    const struct call_edge *edge = &detour->graph->edges[number];
    size_t next = 0, count = 1;
    detour->queue[0] = edge->callee;
    detour->seen[edge->callee] = ++detour->number;
    while (next < count) {
        struct call_edges ways = call_graph_callers(detour->graph, detour->queue[next++]);
        for (size_t i = 0; i < ways.count; i++) {
            uint32_t caller = detour->graph->edges[ways.list[i]].caller;
            if (ways.list[i] == number || detour->removed[ways.list[i]] ||
                detour->seen[caller] == detour->number)
                continue;
            if (caller == edge->caller)
                return true;
            detour->seen[caller] = detour->number;
            detour->queue[count++] = caller;
        }
    }
    return false;
}

// None is removed that is heavier than an edge that stays because it is a call.
static void remove_superfluous(struct detour *detour, uint32_t function, bool *removed)
{
    struct call_edges ways = call_graph_callers(detour->graph, function);
    for (size_t i = ways.count; i > 0; i--) {
        uint32_t number = ways.list[i - 1];
        if (!detour->graph->edges[number].residual)
            return;
        removed[number] = is_superfluous(detour, number);
    }
}

static int compare_edges(const void *left, const void *right, void *context)
{
    const struct call_graph *graph = context;
    const struct call_edge *a = &graph->edges[*(const uint32_t *)left];
    const struct call_edge *b = &graph->edges[*(const uint32_t *)right];
    const struct call_function *of = graph->functions;
    int64_t heavy_a = call_magnitude(a->weight), heavy_b = call_magnitude(b->weight);
    if (heavy_a != heavy_b)
        return heavy_a > heavy_b ? -1 : 1;
    if (of[a->caller].rank != of[b->caller].rank)
        return of[a->caller].rank < of[b->caller].rank ? -1 : 1;
    return (of[a->callee].rank > of[b->callee].rank) - (of[a->callee].rank < of[b->callee].rank);
}

static void choose_edges(struct call_picture *picture, struct call_graph *graph)
{
    AUTO_FREE bool *removed = xcalloc(graph->edge_count + 1, sizeof *removed);
    AUTO_FREE uint32_t *seen = xcalloc(graph->function_count + 1, sizeof *seen);
    AUTO_FREE uint32_t *queue = xcalloc(graph->function_count + 1, sizeof *queue);
    struct detour detour = {.graph = graph, .removed = removed, .seen = seen, .queue = queue};
    for (size_t i = picture->count; i > 0; i--)
        remove_superfluous(&detour, picture->functions[i - 1], removed);
    picture->edges = xcalloc(graph->edge_count + 1, sizeof *picture->edges);
    for (size_t i = 0; i < picture->count; i++) {
        struct call_edges ways = call_graph_callers(graph, picture->functions[i]);
        for (size_t k = 0; k < ways.count; k++)
            if (!removed[ways.list[k]] && graph->functions[graph->edges[ways.list[k]].caller].shown)
                picture->edges[picture->edge_count++] = ways.list[k];
    }
    qsort_r(picture->edges, picture->edge_count, sizeof *picture->edges, compare_edges, graph);
}

// --- the whole ---

void call_picture_init(struct call_picture *picture, struct call_graph *graph,
                       const struct call_trim *trim, const struct call_tags *tags)
{
    int64_t least_function = call_graph_fraction(graph, trim->function_fraction);
    int64_t least_edge = call_graph_fraction(graph, trim->edge_fraction);
    *picture = (struct call_picture){0};
    picture->functions = xcalloc(graph->function_count + 1, sizeof *picture->functions);
    if (least_function > 0)
        call_graph_drop_functions(graph, least_function);
    picture->dropped_functions = graph->dropped.functions;
    picture->candidates = graph->shown;
    sort_functions(picture, graph); // before edges go
    picture->dropped_edges = call_graph_drop_edges(graph, least_edge);
    size_t count = room(picture, trim->count, tags);
    if (count < picture->count) {
        keep_first(picture, graph, count);
        picture->dropped_edges = call_graph_drop_edges(graph, least_edge);
    }
    graph->dropped.edges = picture->dropped_edges;
    graph->dropped.beyond_count = picture->candidates - picture->count;
    choose_edges(picture, graph);
}

void call_picture_fini(struct call_picture *picture)
{
    free(picture->functions);
    free(picture->edges);
    *picture = (struct call_picture){0};
}
