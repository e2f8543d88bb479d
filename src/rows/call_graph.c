// SPDX-License-Identifier: MIT
#include "rows/call_graph.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows/call_parts.h"

#define BASE_KEY "pprof::base" // label of what a difference was taken from

// --- the whole ---

static bool is_base(const struct plain_profile *profile, uint32_t set)
{
    const struct plain_label *label = plain_label(profile, set, BASE_KEY);
    return label && strcmp(plain_string(profile, label->text), "true") == 0;
}

int64_t call_graph_all(const struct plain_profile *profile, size_t value)
{
    AUTO_FREE bool *base = xcalloc(profile->labels.set_count, sizeof *base);
    int64_t all = 0, of_base = 0;
    for (uint32_t i = 0; i < profile->labels.set_count; i++)
        base[i] = is_base(profile, i);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        int64_t has = call_magnitude(plain_values(profile, i)[value]);
        all = call_add(all, has);
        if (base[profile->samples.list[i].labels])
            of_base = call_add(of_base, has);
    }
    return of_base ? of_base : all;
}

// --- names ---

struct call_span call_graph_location(const struct call_graph *graph, uint32_t location)
{
    const struct call_parts *parts = graph->parts;
    uint32_t first = parts->first[location];
    return (struct call_span){&parts->of[first], parts->first[location + 1] - first};
}

void call_graph_name(const struct call_graph *graph, uint32_t function, struct buf *name)
{
    const struct call_function *of = &graph->functions[function];
    const char *module = plain_string(graph->profile, of->module);
    const char *slash = strrchr(module, '/');
    if (of->name)
        buf_puts(name, plain_string(graph->profile, of->name));
    else if (*module)
        buf_printf(name, "[%s]", slash && slash[1] ? slash + 1 : module);
    else
        buf_puts(name, "<unknown>");
}

struct named {
    char *name;
    uint32_t function;
};

static int compare_named(const void *left, const void *right)
{
    const struct named *a = left, *b = right;
    return strcmp(a->name, b->name);
}

// Functions that are shown with the same name have the same rank.
static void rank_names(struct call_graph *graph)
{
    AUTO_FREE struct named *list = xcalloc(graph->function_count + 1, sizeof *list);
    for (uint32_t i = 0; i < graph->function_count; i++) {
        struct buf name = {0};
        call_graph_name(graph, i, &name);
        list[i] = (struct named){name.data, i};
    }
    if (graph->function_count)
        qsort(list, graph->function_count, sizeof *list, compare_named);
    for (uint32_t i = 0, rank = 0; i < graph->function_count; i++) {
        rank += i && strcmp(list[i - 1].name, list[i].name) != 0;
        graph->functions[list[i].function].rank = rank;
    }
    for (size_t i = 0; i < graph->function_count; i++)
        free(list[i].name);
}

// --- functions and edges ---

static void show_functions(struct call_graph *graph, const bool *kept)
{
    graph->shown = 0;
    for (uint32_t i = 0; i < graph->function_count; i++) {
        struct call_function *function = &graph->functions[i];
        function->shown = (!kept || kept[i]) && (function->self || function->total);
        if (function->shown)
            graph->order[graph->shown++] = i;
    }
}

static void make(struct call_graph *graph, const bool *kept, bool edges)
{
    call_walk(graph, kept, edges);
    show_functions(graph, kept);
    call_index(graph);
}

void call_graph_keep(struct call_graph *graph, const bool *kept)
{
    make(graph, kept, true);
}

struct call_graph *call_graph_functions(const struct plain_profile *profile, size_t value)
{
    struct call_graph *graph = xcalloc(1, sizeof *graph);
    graph->profile = profile;
    graph->value = value;
    graph->all = call_graph_all(profile, value);
    graph->parts = call_parts_new(profile, value, graph);
    graph->order = xcalloc(graph->function_count + 1, sizeof *graph->order);
    rank_names(graph);
    make(graph, NULL, false);
    return graph;
}

struct call_graph *call_graph_new(const struct plain_profile *profile, size_t value)
{
    struct call_graph *graph = call_graph_functions(profile, value);
    call_graph_keep(graph, NULL);
    return graph;
}

void call_graph_free(struct call_graph *graph)
{
    if (!graph)
        return;
    call_parts_free(graph->parts);
    free(graph->functions);
    free(graph->edges);
    free(graph->order);
    free(graph);
}

// --- edges by function ---


static int compare_edges(const void *left, const void *right, void *context)
{
    const struct call_graph *graph = context;
    const struct call_edge *a = &graph->edges[*(const uint32_t *)left];
    const struct call_edge *b = &graph->edges[*(const uint32_t *)right];
    int64_t heavy_a = call_magnitude(a->weight), heavy_b = call_magnitude(b->weight);
    if (heavy_a != heavy_b)
        return heavy_a > heavy_b ? -1 : 1;
    const struct call_function *functions = graph->functions;
    uint32_t ranks[2][2] = {{functions[a->caller].rank, functions[b->caller].rank},
                            {functions[a->callee].rank, functions[b->callee].rank}};
    for (int i = 0; i < 2; i++)
        if (ranks[i][0] != ranks[i][1])
            return ranks[i][0] < ranks[i][1] ? -1 : 1;
    return a < b ? -1 : a > b;
}

static uint32_t end_of(const struct call_edge *edge, bool callers)
{
    return callers ? edge->callee : edge->caller;
}

// Counting sort by function.
static void index_edges(const struct call_graph *graph, bool callers, struct call_index *index)
{
    size_t functions = graph->function_count;
    free(index->list);
    free(index->first);
    free(index->sorted);
    index->list = xcalloc(graph->edge_count + 1, sizeof *index->list);
    index->first = xcalloc(functions + 2, sizeof *index->first);
    index->sorted = xcalloc(functions + 1, sizeof *index->sorted);
    uint32_t *next = index->first + 1; // becomes index->first once all are placed
    for (size_t i = 0; i < graph->edge_count; i++)
        next[end_of(&graph->edges[i], callers) + 1]++;
    for (size_t i = 1; i < functions; i++)
        next[i] += next[i - 1];
    for (uint32_t i = 0; i < graph->edge_count; i++)
        index->list[next[end_of(&graph->edges[i], callers)]++] = i;
}

void call_index(struct call_graph *graph)
{
    index_edges(graph, true, &graph->parts->callers);
    index_edges(graph, false, &graph->parts->callees);
}

// Few functions are ever asked for theirs.
static struct call_edges edges_of(const struct call_graph *graph, struct call_index *index,
                                  uint32_t function)
{
    uint32_t *list = index->list + index->first[function];
    size_t count = index->first[function + 1] - index->first[function];
    if (!index->sorted[function] && count)
        qsort_r(list, count, sizeof *list, compare_edges, (void *)graph);
    index->sorted[function] = true;
    return (struct call_edges){list, count};
}

struct call_edges call_graph_callers(const struct call_graph *graph, uint32_t function)
{
    return edges_of(graph, &graph->parts->callers, function);
}

struct call_edges call_graph_callees(const struct call_graph *graph, uint32_t function)
{
    return edges_of(graph, &graph->parts->callees, function);
}
