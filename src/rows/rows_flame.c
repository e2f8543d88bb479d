// SPDX-License-Identifier: MIT
#include "rows/rows_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows/selection.h"

#define NONE UINT32_MAX

struct flame_layout {
    const struct tree *tree;
    uint32_t *by_name; // nodes: siblings together, by name
    double *starts, *widths; // [node]; width 0: not shown
};

struct cell_order {
    const struct tree_node *nodes;
};

static int compare_siblings(const void *left, const void *right, void *context)
{
    const struct cell_order *order = context;
    const struct tree_node *a = &order->nodes[*(const uint32_t *)left];
    const struct tree_node *b = &order->nodes[*(const uint32_t *)right];
    const char *a_name = a->function ? a->function->name : a->label;
    const char *b_name = b->function ? b->function->name : b->label;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    if (a->parent != b->parent)
        return a->parent + 1 < b->parent + 1 ? -1 : 1;
    int names = strcmp(a_name, b_name);
    return names ? names : (a->id > b->id) - (a->id < b->id);
}

static int64_t size_of(const struct tree *tree, uint32_t node)
{
    return sums_size(tree->nodes[node].total, tree->measure);
}

// The ancestors of the zoomed node are as wide as it, and alone.
static void widen_path(struct flame_layout *layout, uint32_t zoom, bool *on_path)
{
    for (uint32_t at = zoom; at != NONE; at = layout->tree->nodes[at].parent) {
        on_path[at] = true;
        layout->widths[at] = 1;
    }
}

static void place(struct flame_layout *layout, uint32_t zoom)
{
    const struct tree *tree = layout->tree;
    AUTO_FREE double *used = xcalloc(tree->count + 1, sizeof *used); // by children, [parent + 1]
    AUTO_FREE bool *on_path = xcalloc(tree->count + 1, sizeof *on_path);
    widen_path(layout, zoom, on_path);
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t node = layout->by_name[i], parent = tree->nodes[node].parent;
        int64_t whole =
            parent == NONE ? sums_size(tree->all, tree->measure) : size_of(tree, parent);
        double room = parent == NONE ? 1 : layout->widths[parent];
        bool outside = zoom != NONE && (parent == NONE || (on_path[parent] && parent != zoom));
        if (on_path[node] || outside || !whole)
            continue;
        double width = room * (double)size_of(tree, node) / (double)whole;
        layout->starts[node] = (parent == NONE ? 0 : layout->starts[parent]) + used[parent + 1];
        layout->widths[node] = width;
        used[parent + 1] += width;
    }
}

static void put_cells(const struct flame_layout *layout, struct flame *flame)
{
    const struct tree *tree = layout->tree;
    flame->cells = xcalloc(tree->count + 1, sizeof *flame->cells);
    for (size_t i = 0; i < tree->count; i++) {
        uint32_t node = layout->by_name[i];
        if (layout->widths[node] <= 0)
            continue;
        flame->cells[flame->count++] = (struct flame_cell){
            .depth = tree->nodes[node].depth,
            .start = layout->starts[node],
            .width = layout->widths[node],
            .node = node,
        };
        flame->depths = tree->nodes[node].depth + 1;
    }
}

static int compare_cells(const void *left, const void *right)
{
    const struct flame_cell *a = left, *b = right;
    if (a->depth != b->depth)
        return a->depth < b->depth ? -1 : 1;
    int starts = (a->start > b->start) - (a->start < b->start);
    return starts ? starts : (a->node > b->node) - (a->node < b->node);
}

void rows_flame(const struct tree *tree, uint32_t zoom, struct flame *flame)
{
    struct cell_order order = {tree->nodes};
    struct flame_layout layout = {
        .tree = tree,
        .by_name = xcalloc(tree->count + 1, sizeof *layout.by_name),
        .starts = xcalloc(tree->count + 1, sizeof *layout.starts),
        .widths = xcalloc(tree->count + 1, sizeof *layout.widths),
    };
    *flame = (struct flame){0};
    for (uint32_t i = 0; i < tree->count; i++)
        layout.by_name[i] = i;
    if (tree->count)
        qsort_r(layout.by_name, tree->count, sizeof *layout.by_name, compare_siblings, &order);
    place(&layout, zoom);
    put_cells(&layout, flame);
    if (flame->count)
        qsort(flame->cells, flame->count, sizeof *flame->cells, compare_cells);
    free(layout.by_name);
    free(layout.starts);
    free(layout.widths);
}

void flame_fini(struct flame *flame)
{
    free(flame->cells);
    *flame = (struct flame){0};
}
