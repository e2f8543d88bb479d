// SPDX-License-Identifier: MIT
#include "rows/rows_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows/selection.h"

#define NONE UINT32_MAX

struct flame_layout {
    const struct tree *tree;
    uint32_t *by_name; // nodes: depth by depth, siblings together and by name
    size_t count;      // of them
    double *starts, *widths; // [node]; width 0: not shown
};

static int compare_siblings(const void *left, const void *right, void *context)
{
    const struct tree_node *nodes = context;
    const struct tree_node *a = &nodes[*(const uint32_t *)left];
    const struct tree_node *b = &nodes[*(const uint32_t *)right];
    const char *a_name = a->function ? a->function->name : a->label;
    const char *b_name = b->function ? b->function->name : b->label;
    int names = strcmp(a_name, b_name);
    return names ? names : (a->id > b->id) - (a->id < b->id);
}

// Appends the nodes from `first` up to `end`, without what lies below them.
static size_t put_siblings(struct flame_layout *layout, size_t count, uint32_t first, uint32_t end)
{
    const struct tree_node *nodes = layout->tree->nodes;
    size_t begin = count;
    for (uint32_t at = first; at < end; at = nodes[at].next)
        layout->by_name[count++] = at;
    if (count - begin > 1)
        qsort_r(&layout->by_name[begin], count - begin, sizeof *layout->by_name, compare_siblings,
                layout->tree->nodes);
    return count;
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

struct placing {
    struct flame_layout *layout;
    uint32_t zoom;
    double *used;  // by children that have their place, [parent + 1]
    bool *on_path; // to the zoomed node
};

static void place(struct placing *placing, uint32_t node)
{
    struct flame_layout *layout = placing->layout;
    const struct tree *tree = layout->tree;
    uint32_t parent = tree->nodes[node].parent, zoom = placing->zoom;
    int64_t whole = parent == NONE ? sums_size(tree->all, tree->measure) : size_of(tree, parent);
    double room = parent == NONE ? 1 : layout->widths[parent], *used = &placing->used[parent + 1];
    bool outside =
        zoom != NONE && (parent == NONE || (placing->on_path[parent] && parent != zoom));
    if (placing->on_path[node] || outside || !whole)
        return;
    layout->starts[node] = (parent == NONE ? 0 : layout->starts[parent]) + *used;
    layout->widths[node] = room * (double)size_of(tree, node) / (double)whole;
    *used += layout->widths[node];
}

// Goes down from the roots as far as cells can be seen.
static void place_all(struct flame_layout *layout, uint32_t zoom)
{
    const struct tree *tree = layout->tree;
    AUTO_FREE double *used = xcalloc(tree->count + 1, sizeof *used);
    AUTO_FREE bool *on_path = xcalloc(tree->count + 1, sizeof *on_path);
    struct placing placing = {layout, zoom, used, on_path};
    widen_path(layout, zoom, on_path);
    layout->count = put_siblings(layout, 0, 0, (uint32_t)tree->count);
    for (size_t i = 0; i < layout->count; i++) {
        uint32_t node = layout->by_name[i];
        place(&placing, node);
        if (layout->widths[node] * FLAME_PARTS >= 1)
            layout->count =
                put_siblings(layout, layout->count, node + 1, tree->nodes[node].next);
    }
}

static void put_cells(const struct flame_layout *layout, struct flame *flame)
{
    const struct tree *tree = layout->tree;
    flame->cells = xcalloc(layout->count + 1, sizeof *flame->cells);
    for (size_t i = 0; i < layout->count; i++) {
        uint32_t node = layout->by_name[i];
        if (layout->widths[node] * FLAME_PARTS < 1)
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

void rows_flame(const struct tree *tree, uint32_t zoom, struct flame *flame)
{
    struct flame_layout layout = {
        .tree = tree,
        .by_name = xcalloc(tree->count + 1, sizeof *layout.by_name),
        .starts = xcalloc(tree->count + 1, sizeof *layout.starts),
        .widths = xcalloc(tree->count + 1, sizeof *layout.widths),
    };
    *flame = (struct flame){0};
    place_all(&layout, zoom);
    put_cells(&layout, flame);
    free(layout.by_name);
    free(layout.starts);
    free(layout.widths);
}

void flame_fini(struct flame *flame)
{
    free(flame->cells);
    *flame = (struct flame){0};
}
