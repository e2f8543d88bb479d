// SPDX-License-Identifier: MIT
// Trimming as pprof does it: functions that cost little go first, then all but so many, and the
// graph is made anew each time; edges go last.
#include <stdlib.h>

#include "base/mem.h"
#include "rows/call_parts.h"

static int by_size(int64_t a, int64_t b)
{
    int64_t size_a = call_magnitude(a), size_b = call_magnitude(b);
    return (size_a < size_b) - (size_a > size_b);
}

static int compare(const struct call_function *a, const struct call_function *b, bool by_total)
{
    int order = by_total ? by_size(a->total, b->total) : by_size(a->self, b->self);
    if (!order)
        order = (a->rank > b->rank) - (a->rank < b->rank);
    if (!order)
        order = by_total ? by_size(a->self, b->self) : by_size(a->total, b->total);
    return order ? order : (a > b) - (a < b);
}

static int compare_self(const void *left, const void *right, void *context)
{
    const struct call_function *functions = context;
    return compare(&functions[*(const uint32_t *)left], &functions[*(const uint32_t *)right],
                   false);
}

static int compare_total(const void *left, const void *right, void *context)
{
    const struct call_function *functions = context;
    return compare(&functions[*(const uint32_t *)left], &functions[*(const uint32_t *)right],
                   true);
}

void call_graph_sort(struct call_graph *graph, enum call_order order)
{
    if (graph->shown)
        qsort_r(graph->order, graph->shown, sizeof *graph->order,
                order == CALL_BY_TOTAL ? compare_total : compare_self, graph->functions);
}

size_t call_graph_drop_edges(struct call_graph *graph, int64_t least)
{
    size_t left = 0, count = graph->edge_count;
    for (size_t i = 0; i < count; i++) {
        const struct call_edge *edge = &graph->edges[i];
        if (!graph->functions[edge->callee].shown || call_magnitude(edge->weight) >= least)
            graph->edges[left++] = *edge;
    }
    graph->edge_count = left;
    if (left < count)
        call_index(graph);
    return count - left;
}

void call_graph_drop_functions(struct call_graph *graph, int64_t least)
{
    AUTO_FREE bool *kept = xcalloc(graph->function_count + 1, sizeof *kept);
    size_t count = 0;
    for (size_t i = 0; i < graph->function_count; i++) {
        const struct call_function *function = &graph->functions[i];
        kept[i] = function->shown && call_magnitude(function->total) >= least;
        count += kept[i];
    }
    graph->dropped.functions = graph->shown - count;
    if (graph->dropped.functions)
        call_graph_keep(graph, kept);
}

int64_t call_graph_fraction(const struct call_graph *graph, double fraction)
{
    int64_t sum = 0;
    for (size_t i = 0; i < graph->shown; i++)
        sum = call_add(sum, graph->functions[graph->order[i]].self);
    double part = (double)sum * fraction;
    return part < 0 ? (int64_t)-part : (int64_t)part;
}

// Costs of functions are the same whichever of them are kept, so that all can be chosen before the
// graph is made anew.
void call_graph_trim(struct call_graph *graph, const struct call_trim *trim)
{
    int64_t least_function = call_graph_fraction(graph, trim->function_fraction);
    int64_t least_edge = call_graph_fraction(graph, trim->edge_fraction);
    AUTO_FREE bool *kept = xcalloc(graph->function_count + 1, sizeof *kept);
    size_t heavy = 0, count = 0, shown = graph->shown;
    call_graph_sort(graph, trim->order);
    for (size_t i = 0; i < shown; i++) {
        uint32_t function = graph->order[i];
        if (call_magnitude(graph->functions[function].total) < least_function)
            continue;
        heavy++;
        kept[function] = !trim->count || heavy <= trim->count;
        count += kept[function];
    }
    graph->dropped.functions = shown - heavy;
    graph->dropped.beyond_count = heavy - count;
    call_graph_keep(graph, count < shown ? kept : NULL);
    call_graph_sort(graph, trim->order);
    graph->dropped.edges = call_graph_drop_edges(graph, least_edge);
}
