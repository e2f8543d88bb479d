// SPDX-License-Identifier: MIT
// This view is the call tree. Nodes are folded unless they were opened.
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

#define MARK_COLS 2     // width of the fold mark
#define FORK_SHARE 0.05 // of the total: a second child with this share is a fork

struct tree_rows {
    struct tree tree;
    uint32_t *visible; // nodes without a folded ancestor; owned
    size_t visible_count, visible_capacity;
};

static const struct tree_rows *rows_of(const struct scene *scene)
{
    return scene->rows;
}

static const struct tree_node *node_at(const struct scene *scene, size_t row)
{
    const struct tree_rows *rows = rows_of(scene);
    return &rows->tree.nodes[rows->visible[row]];
}

static const struct tree_node *node_of(const struct slot *slot)
{
    return node_at(slot->scene, slot->index);
}

static bool is_open(const struct state *state, const struct tree_node *node)
{
    uint32_t fold = map_get(&state->tree.folds, node->id, 0);
    return node->children && (fold ? fold == FOLD_OPEN : state->tree.all_open);
}

static void draw_share(const struct slot *slot, struct cost cost)
{
    struct cost all = rows_of(slot->scene)->tree.all;
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

static void draw_value(const struct slot *slot)
{
    slot_value(slot, cost_ns(node_of(slot)->total));
}

static void draw_running(const struct slot *slot)
{
    slot_running(slot, node_of(slot)->total);
}

// Says whether a sibling follows the node.
static bool has_next(const struct tree *tree, uint32_t node)
{
    uint32_t parent = tree->nodes[node].parent;
    uint32_t end = parent == UINT32_MAX ? (uint32_t)tree->count : tree->nodes[parent].next;
    return tree->nodes[node].next < end;
}

// The lines to the left of a node show for each ancestor whether siblings follow it.
static void put_branches(const struct slot *slot, uint32_t node, struct buf *out)
{
    const struct tree *tree = &rows_of(slot->scene)->tree;
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
        buf_printf(out, "%s ",
                   theme_glyph(utf8, is_open(slot->state, node) ? GLYPH_OPEN : GLYPH_FOLDED));
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
    put_branches(slot, rows_of(slot->scene)->visible[slot->index], &branches);
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
    slot_module(slot, node_of(slot)->function);
}

static const struct column columns[] = {
    {"TOTAL%", 6, 0, true, SORT_COUNT, WHEN_ALWAYS, draw_total},
    {"SELF%", 6, 50, true, SORT_COUNT, WHEN_ALWAYS, draw_self},
    {"RUN%", 6, 60, true, SORT_COUNT, WHEN_WALL, draw_running},
    {"CALL TREE", 0, 0, false, SORT_COUNT, WHEN_UPRIGHT, draw_name},
    {"CALLED FROM", 0, 0, false, SORT_COUNT, WHEN_INVERTED, draw_name},
    {"FILE:LINE", 22, 60, false, SORT_COUNT, WHEN_LINES, draw_line},
    {"MODULE", 15, 80, false, SORT_COUNT, WHEN_ALWAYS, draw_module},
};

static const struct table table = {columns, ARRAY_LENGTH(columns), NULL, NULL};

static const struct column file_columns[] = {
    {"TOTAL%", 7, 0, true, SORT_COUNT, WHEN_ALWAYS, draw_total},
    {"SELF%", 7, 50, true, SORT_COUNT, WHEN_ALWAYS, draw_self},
    {"TOTAL", 8, 70, true, SORT_COUNT, WHEN_ALWAYS, draw_value},
    {"RUN%", 6, 60, true, SORT_COUNT, WHEN_WALL, draw_running},
    {"CALL TREE", 0, 0, false, SORT_COUNT, WHEN_UPRIGHT, draw_name},
    {"CALLED FROM", 0, 0, false, SORT_COUNT, WHEN_INVERTED, draw_name},
    {"FILE:LINE", 22, 60, false, SORT_COUNT, WHEN_LINES, draw_line},
    {"MODULE", 15, 80, false, SORT_COUNT, WHEN_ALWAYS, draw_module},
};

static const struct table file_table = {file_columns, ARRAY_LENGTH(file_columns), NULL, NULL};

static void put_note(const struct scene *scene, const struct state *state, struct buf *out)
{
    (void)state;
    if (rows_of(scene)->tree.folded)
        buf_printf(out, "   %zu tiny nodes left out", rows_of(scene)->tree.folded);
}

// --- the rows ---

static int64_t weight(struct cost cost)
{
    return cost_ns(cost) ? cost_size(cost_ns(cost)) : cost_size(cost.samples);
}

// Opens the heaviest path from the root to the first fork.
static void open_heaviest(const struct tree *tree, struct state *state)
{
    if (state->tree.known || !tree->count)
        return;
    state->tree.known = true;
    double fork = FORK_SHARE * (double)weight(tree->all);
    for (uint32_t at = 0; tree->nodes[at].children; at++) {
        map_put(&state->tree.folds, tree->nodes[at].id, FOLD_OPEN);
        uint32_t second = tree->nodes[at + 1].next;
        if (second < tree->nodes[at].next && (double)weight(tree->nodes[second].total) >= fork)
            return;
    }
}

// Recomputes which nodes are visible after folds changed.
static void refold(struct scene *scene, const struct state *state)
{
    struct tree_rows *rows = scene->rows;
    const struct tree *tree = &rows->tree;
    rows->visible_count = 0;
    for (uint32_t at = 0; at < tree->count;) {
        ARRAY_RESERVE(rows->visible, rows->visible_count, rows->visible_capacity);
        rows->visible[rows->visible_count++] = at;
        at = is_open(state, &tree->nodes[at]) ? at + 1 : tree->nodes[at].next;
    }
    scene->count = rows->visible_count;
}

static enum rc make(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err)
{
    struct tree_rows *rows = scene->rows;
    enum rc rc = rows_tree(&scene->snapshot->moment, query, &rows->tree, err);
    open_heaviest(&rows->tree, state);
    refold(scene, state);
    scene->all = rows->tree.all;
    return rc;
}

static void free_rows(void *rows)
{
    struct tree_rows *tree_rows = rows;
    tree_fini(&tree_rows->tree);
    free(tree_rows->visible);
}

static struct item item(const struct scene *scene, size_t row)
{
    return scene_node_item(node_at(scene, row));
}

// Opens the ancestors of the node and puts the cursor on it.
static void reveal(struct scene *scene, struct state *state, size_t node)
{
    struct tree_rows *rows = scene->rows;
    const struct tree_node *nodes = rows->tree.nodes;
    for (uint32_t up = nodes[node].parent; up != UINT32_MAX; up = nodes[up].parent)
        map_put(&state->tree.folds, nodes[up].id, FOLD_OPEN);
    refold(scene, state);
    for (size_t row = 0; row < rows->visible_count; row++)
        if (rows->visible[row] == node)
            scene_select(scene, state, row);
}

// A search also finds nodes that are folded, and opens their ancestors.
static bool search(struct scene *scene, struct state *state, size_t from, int step, bool here)
{
    const struct tree_rows *rows = rows_of(scene);
    const struct tree *tree = &rows->tree;
    size_t start = from < rows->visible_count ? rows->visible[from] : 0;
    for (size_t i = !here; i < tree->count + !here; i++) {
        size_t at = (start + (step > 0 ? i : tree->count - i % tree->count)) % tree->count;
        if (scene_match(state, scene_node_item(&tree->nodes[at]).text)) {
            reveal(scene, state, at);
            return true;
        }
    }
    return false;
}

// --- keys ---

static unsigned set_fold(struct app *app, int fold)
{
    if (!act_has_rows(app))
        return 0;
    const struct tree_node *node = node_at(app->scene, act_cursor(app)->at);
    if (node->children) {
        map_put(&app->state->tree.folds, node->id, (uint32_t)fold);
        refold(app->scene, app->state);
    }
    return 0;
}

static unsigned toggle(struct app *app)
{
    bool open = act_has_rows(app) &&
                is_open(app->state, node_at(app->scene, act_cursor(app)->at));
    return set_fold(app, open ? FOLD_CLOSED : FOLD_OPEN);
}

static const struct view_key keys[] = {
    {ACTION_ENTER, {.act = toggle}},
    {ACTION_TOGGLE, {.act = toggle}},
    {ACTION_EXPAND, {.act_by = set_fold, .by = FOLD_OPEN}},
    {ACTION_COLLAPSE, {.act_by = set_fold, .by = FOLD_CLOSED}},
};

const struct view view_tree = {
    .title = "Tree",
    .inverts = true,
    .rows = {sizeof(struct tree_rows), make, free_rows, item, NULL, NULL},
    .search = search,
    .table = &table,
    .file_table = &file_table,
    .put_note = put_note,
    .action = ACTION_VIEW_TREE,
    .keys = keys,
    .key_count = ARRAY_LENGTH(keys),
};
