// SPDX-License-Identifier: MIT
// The call tree, folded except for what was opened.
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/table.h"

#define MARK_COLS 2 // of a node that can be folded

static const struct tree_node *node_of(const struct slot *slot)
{
    return &slot->scene->tree.nodes[slot->scene->visible[slot->index]];
}

static void draw_share(const struct slot *slot, struct cost cost)
{
    struct cost all = slot->scene->tree.all;
    slot_percent(slot, rows_percent(rows_measure(&slot->state->query), cost, all));
}

static void draw_total(const struct slot *slot)
{
    draw_share(slot, node_of(slot)->total);
}

static void draw_self(const struct slot *slot)
{
    draw_share(slot, node_of(slot)->self);
}

static void draw_running(const struct slot *slot)
{
    slot_running(slot, node_of(slot)->total);
}

// Whether a sibling follows the node.
static bool has_next(const struct tree *tree, uint32_t node)
{
    uint32_t parent = tree->nodes[node].parent;
    uint32_t end = parent == UINT32_MAX ? (uint32_t)tree->count : tree->nodes[parent].next;
    return tree->nodes[node].next < end;
}

// The lines to the left of a node: for each ancestor whether others follow it.
static void put_branches(const struct slot *slot, uint32_t node, struct buf *out)
{
    const struct tree *tree = &slot->scene->tree;
    bool utf8 = slot->picture->canvas.utf8;
    size_t depth = tree->nodes[node].depth;
    if (!depth)
        return;
    AUTO_FREE enum glyph *glyphs = xmalloc(depth * sizeof *glyphs);
    glyphs[depth - 1] = has_next(tree, node) ? GLYPH_BRANCH : GLYPH_LAST;
    uint32_t up = tree->nodes[node].parent;
    for (size_t i = depth - 1; i > 0; i--, up = tree->nodes[up].parent)
        glyphs[i - 1] = has_next(tree, up) ? GLYPH_PASS : GLYPH_BLANK;
    for (size_t i = 0; i < depth; i++)
        buf_puts(out, theme_glyph(utf8, glyphs[i]));
}

static void put_node(const struct slot *slot, const struct tree_node *node, int width,
                     struct buf *out)
{
    bool utf8 = slot->picture->canvas.utf8;
    if (node->children)
        buf_printf(out, "%s ", theme_glyph(utf8, scene_is_open(slot->state, node)
                                                     ? GLYPH_OPEN : GLYPH_FOLDED));
    if (node->function)
        label_function_within(slot->state, &slot->picture->canvas, width - MARK_COLS,
                              node->function, node->inlined, out);
    else
        buf_puts(out, node->label ? node->label : "");
    if (node->tid && !node->function)
        buf_printf(out, " (%d)", (int)node->tid);
    if (node->repeat > 1)
        buf_printf(out, "  x%" PRIu32, node->repeat);
}

static void draw_name(const struct slot *slot)
{
    const struct tree_node *node = node_of(slot);
    AUTO_BUF struct buf branches = {0}, name = {0};
    put_branches(slot, slot->scene->visible[slot->index], &branches);
    int scroll = slot->state->cursors[VIEW_TREE].scroll;
    int indent = 3 * (int)node->depth - scroll;
    put_node(slot, node, scroll ? INT_MAX : slot->width - indent, &name);
    if (branches.length)
        canvas_scrolled(&slot->picture->canvas, slot->row, slot->col, slot->width, scroll,
                        ROLE_DIM, branches.data);
    if (indent < 0)
        canvas_scrolled(&slot->picture->canvas, slot->row, slot->col, slot->width, -indent,
                        ROLE_DEFAULT, name.data);
    else
        canvas_squeezed(&slot->picture->canvas, slot->row, slot->col + indent,
                        slot->width - indent, node->function ? ROLE_DEFAULT : ROLE_STRONG,
                        name.data);
}

static void draw_line(const struct slot *slot)
{
    slot_line(slot, node_of(slot)->file, node_of(slot)->line);
}

static void draw_module(const struct slot *slot)
{
    const struct function *function = node_of(slot)->function;
    if (function)
        canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_MODULE,
                        label_module(slot->state, function));
}

static const struct column columns[] = {
    {"TOTAL%", 6, 0, true, SORT_COUNT, NULL, draw_total},
    {"SELF%", 6, 50, true, SORT_COUNT, NULL, draw_self},
    {"RUN%", 6, 60, true, SORT_COUNT, table_shows_wall, draw_running},
    {"CALL TREE", 0, 0, false, SORT_COUNT, NULL, draw_name},
    {"FILE:LINE", 22, 60, false, SORT_COUNT, table_wants_lines, draw_line},
    {"MODULE", 15, 80, false, SORT_COUNT, NULL, draw_module},
};

// From the leaves: the same columns, another title.
static const struct column inverted_columns[] = {
    {"TOTAL%", 6, 0, true, SORT_COUNT, NULL, draw_total},
    {"SELF%", 6, 50, true, SORT_COUNT, NULL, draw_self},
    {"RUN%", 6, 60, true, SORT_COUNT, table_shows_wall, draw_running},
    {"CALLED FROM", 0, 0, false, SORT_COUNT, NULL, draw_name},
    {"FILE:LINE", 22, 60, false, SORT_COUNT, table_wants_lines, draw_line},
    {"MODULE", 15, 80, false, SORT_COUNT, NULL, draw_module},
};

void view_tree_draw(struct picture *picture, struct box area, const struct scene *scene,
                    struct state *state)
{
    struct table table = {columns, ARRAY_LENGTH(columns), NULL, NULL};
    if (state->query.inverted)
        table.columns = inverted_columns;
    table_draw(picture, area, scene, state, &table);
}
