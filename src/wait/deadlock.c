// SPDX-License-Identifier: MIT
#include "wait/deadlock.h"

#include <stdlib.h>

#include "base/mem.h"

// Each thread waits for at most one other. So following the owners from any thread leads to a
// thread that waits for nobody, or into a circle.
struct graph {
    const struct wait *waits;
    size_t count;
    size_t *visit; // [thread] the walk that came there first, from 1; 0: none yet
    size_t *depth; // [thread] length of its chain, itself included; 0: it has no end
    size_t *root;  // [thread] the last thread of its chain
    struct verdict *verdicts;
    size_t verdict_count, verdict_capacity;
};

static size_t next_of(const struct graph *graph, size_t thread)
{
    size_t owner = graph->waits[thread].owner;
    return owner < graph->count ? owner : WAIT_NOBODY;
}

static struct verdict *add_verdict(struct graph *graph, enum verdict_kind kind, size_t first,
                                   size_t length)
{
    ARRAY_RESERVE(graph->verdicts, graph->verdict_count, graph->verdict_capacity);
    struct verdict *verdict = &graph->verdicts[graph->verdict_count++];
    *verdict = (struct verdict){kind, xcalloc(length, sizeof *verdict->chain), length, 0};
    for (size_t i = 0, at = first; i < length; i++, at = next_of(graph, at))
        verdict->chain[i] = at;
    return verdict;
}

// A circle is reported beginning with its thread of the lowest index, wherever the walk entered it.
static void add_circle(struct graph *graph, size_t entry)
{
    size_t first = entry, length = 0, at = entry;
    bool certain = true;
    do {
        const struct wait *wait = &graph->waits[at];
        certain = certain && !wait->probable && !wait->timed;
        first = at < first ? at : first;
        length++;
        at = next_of(graph, at);
    } while (at != entry);
    add_verdict(graph, certain ? VERDICT_DEADLOCK : VERDICT_PROBABLE_DEADLOCK, first, length);
}

static void walk(struct graph *graph, size_t start, size_t number)
{
    size_t at = start, steps = 0;
    for (; at != WAIT_NOBODY && !graph->visit[at]; at = next_of(graph, at), steps++) {
        graph->visit[at] = number;
        graph->root[at] = WAIT_NOBODY;
    }
    if (at != WAIT_NOBODY && graph->visit[at] == number)
        add_circle(graph, at);
    bool ends = at == WAIT_NOBODY || graph->depth[at];
    if (!ends || !steps)
        return;
    size_t depth = steps + (at == WAIT_NOBODY ? 0 : graph->depth[at]), root = start;
    while (at == WAIT_NOBODY && next_of(graph, root) != WAIT_NOBODY)
        root = next_of(graph, root);
    root = at == WAIT_NOBODY ? root : graph->root[at];
    for (at = start; steps--; at = next_of(graph, at)) {
        graph->depth[at] = depth--;
        graph->root[at] = root;
    }
}

static void add_longest_chain(struct graph *graph)
{
    AUTO_FREE size_t *waiting = xcalloc(graph->count + 1, sizeof *waiting);
    size_t best = WAIT_NOBODY;
    for (size_t i = 0; i < graph->count; i++)
        if (graph->depth[i] > 1)
            waiting[graph->root[i]]++;
    for (size_t i = 0; i < graph->count; i++) {
        if (graph->depth[i] < 2)
            continue;
        bool longer = best == WAIT_NOBODY || graph->depth[i] > graph->depth[best];
        if (longer || (graph->depth[i] == graph->depth[best] &&
                       waiting[graph->root[i]] > waiting[graph->root[best]]))
            best = i;
    }
    if (best != WAIT_NOBODY)
        add_verdict(graph, VERDICT_CHAIN, best, graph->depth[best])->waiting =
            waiting[graph->root[best]];
}

// Certain deadlocks come first; otherwise the order is that of the first threads.
static int compare_verdicts(const void *left, const void *right)
{
    const struct verdict *a = left, *b = right;
    if (a->kind != b->kind)
        return a->kind < b->kind ? -1 : 1;
    return a->chain[0] < b->chain[0] ? -1 : 1;
}

size_t deadlock_find(const struct wait *waits, size_t count, struct verdict **verdicts)
{
    AUTO_FREE size_t *marks = xcalloc(3 * count + 1, sizeof *marks);
    struct graph graph = {waits, count, marks, marks + count, marks + 2 * count, NULL, 0, 0};
    for (size_t i = 0; i < count; i++)
        walk(&graph, i, i + 1);
    if (graph.verdict_count)
        qsort(graph.verdicts, graph.verdict_count, sizeof *graph.verdicts, compare_verdicts);
    else
        add_longest_chain(&graph);
    *verdicts = graph.verdicts;
    return graph.verdict_count;
}

void verdicts_free(struct verdict *verdicts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(verdicts[i].chain);
    free(verdicts);
}
