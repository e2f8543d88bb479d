// SPDX-License-Identifier: MIT
#include "output/flame_order.h"

#include <stdlib.h>

#include "base/mem.h"

struct order {
    struct flame_cells *cells;
    uint32_t *first; // [cell]: where its children begin in kids; they end where the next begin
    uint32_t *kids;
    double *sizes; // [cell]
};

static void find_kids(struct order *order)
{
    const struct flame_cells *cells = order->cells;
    order->first = xcalloc(cells->count + 2, sizeof *order->first);
    order->kids = xcalloc(cells->count, sizeof *order->kids);
    for (size_t i = 1; i < cells->count; i++)
        order->first[cells->list[i].parent + 2]++;
    for (size_t i = 2; i < cells->count + 2; i++)
        order->first[i] += order->first[i - 1];
    for (uint32_t i = 1; i < cells->count; i++)
        order->kids[order->first[cells->list[i].parent + 1]++] = i;
}

// Goes through the stacks and counts how often each function is open. Stacks can be too deep for a
// function that calls itself.
static void find_again(const struct order *order)
{
    struct flame_cells *cells = order->cells;
    AUTO_FREE uint32_t *open = xcalloc(cells->frame_count + 1, sizeof *open);
    AUTO_FREE uint32_t *next = xcopy(order->first, cells->count, sizeof *next);
    for (uint32_t at = FLAME_ROOT;;) {
        struct graph_cell *cell = &cells->list[at];
        if (at != FLAME_ROOT && next[at] == order->first[at])
            cell->again = open[cell->frame]++ > 0;
        if (next[at] < order->first[at + 1]) {
            at = order->kids[next[at]++];
            continue;
        }
        if (at == FLAME_ROOT)
            return;
        // A cell that has children is not come into a second time: next has moved on.
        open[cell->frame]--;
        at = cell->parent;
    }
}

static void measure_sizes(struct order *order)
{
    order->sizes = flame_cells_totals(order->cells, 0);
    if (order->cells->side_count < 2)
        return;
    AUTO_FREE double *after = flame_cells_totals(order->cells, 1);
    double scale = order->sizes[FLAME_ROOT] > 0 && after[FLAME_ROOT] > 0
                       ? after[FLAME_ROOT] / order->sizes[FLAME_ROOT] : 1;
    for (size_t i = 0; i < order->cells->count; i++)
        order->sizes[i] = order->sizes[i] * scale + after[i];
}

static int compare_sizes(const void *left, const void *right, void *context)
{
    const double *sizes = context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (sizes[a] != sizes[b])
        return sizes[a] > sizes[b] ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void renumber(const struct order *order)
{
    struct flame_cells *cells = order->cells;
    AUTO_FREE uint32_t *old = xcalloc(cells->count, sizeof *old);
    AUTO_FREE uint32_t *renewed = xcalloc(cells->count, sizeof *renewed);
    struct graph_cell *list = xcalloc(cells->count, sizeof *list);
    size_t end = 1;
    for (uint32_t i = 0; i < cells->count; i++) {
        uint32_t *kids = order->kids + order->first[old[i]];
        size_t count = order->first[old[i] + 1] - order->first[old[i]];
        if (count > 1)
            qsort_r(kids, count, sizeof *kids, compare_sizes, order->sizes);
        for (size_t k = 0; k < count; k++)
            old[end++] = kids[k];
        renewed[old[i]] = i;
        list[i] = cells->list[old[i]];
        list[i].parent = renewed[list[i].parent];
        list[i].kids = (uint32_t)count;
    }
    free(cells->list);
    cells->list = list;
    cells->capacity = cells->count;
    for (size_t side = 0; side < cells->side_count; side++)
        for (size_t i = 0; i < cells->sides[side].count; i++)
            cells->sides[side].list[i].cell = renewed[cells->sides[side].list[i].cell];
}

void flame_order(struct flame_cells *cells)
{
    struct order order = {.cells = cells};
    find_kids(&order);
    find_again(&order);
    measure_sizes(&order);
    renumber(&order);
    free(order.first);
    free(order.kids);
    free(order.sizes);
}
