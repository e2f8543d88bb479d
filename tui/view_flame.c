// SPDX-License-Identifier: MIT
// This view is the flame graph with the root at the top: a line for each depth, and cells as wide
// as their shares.
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

#define ROUNDING 1e-9           // of sums of floating-point shares
#define CHANGE_WIDE 16          // columns of a cell that says by how much it has changed
#define STEADY_NS (NS_PER_S / 2) // the picture does not change more often

struct flame_rows {
    struct tree tree;
    struct flame flame;
    uint32_t zoom; // node that is the root; UINT32_MAX: none
};

static const struct flame_rows *rows_of(const struct scene *scene)
{
    return scene->rows;
}

static const struct tree_node *node_at(const struct scene *scene, size_t cell)
{
    return &rows_of(scene)->tree.nodes[rows_of(scene)->flame.cells[cell].node];
}

struct cell_span {
    int col, end;
};

static struct cell_span span_of(const struct flame_cell *cell, struct box area)
{
    int first = (int)(cell->start * area.cols + ROUNDING);
    int end = (int)((cell->start + cell->width) * area.cols + ROUNDING);
    return (struct cell_span){area.col + first, area.col + (end < area.cols ? end : area.cols)};
}

// A module has the same colour in all pictures.
static enum role role_of_module(const struct function *function)
{
    uint32_t hash = 2166136261u;
    for (const char *at = function ? function->module : ""; *at; at++)
        hash = (hash ^ (unsigned char)*at) * 16777619u;
    return (enum role)(ROLE_FLAME_1 + (function ? (hash >> 8) % FLAME_COLORS : FLAME_COLORS - 1));
}

static void put_label(const struct canvas *canvas, const struct state *state, int width,
                      const struct tree_node *node, struct buf *out)
{
    if (node->function)
        label_function_within(state, canvas, width, node->function, node->inlined, out);
    else
        buf_puts(out, node->label ? node->label : "");
}

static enum role role_of_change(struct cost cost)
{
    return theme_flame_change(cost.size ? (double)cost_ns(cost) / (double)cost.size : 0);
}

// Of two profiles a cell says how it has changed, so that not only its colour does: by how many
// percent of all where there is room, else by the sign.
static void put_change(const struct scene *scene, const struct state *state, int width,
                       const struct tree_node *node, struct buf *out)
{
    char text[FIGURES_MOST];
    double percent = rows_percent(MEASURE_TIME, node->total, rows_of(scene)->tree.all);
    if (state->file.subject != SUBJECT_PAIR || !cost_ns(node->total))
        return;
    label_share(state, percent, text);
    buf_printf(out, width >= CHANGE_WIDE ? "%s%% " : "%.1s", text);
}

static void draw_cell(struct picture *picture, int row, struct cell_span span,
                      const struct scene *scene, const struct state *state, size_t index)
{
    struct canvas *canvas = &picture->canvas;
    const struct tree_node *node = node_at(scene, index);
    AUTO_BUF struct buf label = {0};
    put_change(scene, state, span.end - span.col, node, &label);
    put_label(canvas, state, span.end - span.col - 1 - (int)label.length, node, &label);
    bool pair = state->file.subject == SUBJECT_PAIR;
    enum role role = pair ? role_of_change(node->total) : role_of_module(node->function);
    if (scene_match(state, label.data))
        role = ROLE_FLAME_MATCH;
    if (index == state->cursors[VIEW_FLAME].at)
        role = ROLE_FLAME_SELECTED;
    // The last column stays free to separate neighbours of the same colour.
    int end = span.end - (span.end - span.col > 1), text = span.col;
    canvas_fill(canvas, row, span.col, end - span.col, role);
    if (picture->plain)
        text += canvas_glyph(canvas, row, span.col, role, GLYPH_VERTICAL);
    if (end - text > 2)
        canvas_clipped(canvas, row, text, end - text, role, label.data);
    picture_add_zone(picture, (struct box){row, span.col, 1, span.end - span.col}, ACTION_MOUSE,
                     (int)index);
}

static void draw_title(struct picture *picture, struct box area, const struct scene *scene,
                       const struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    char time[FIGURES_MOST];
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, state->query.inverted ? "LEAVES AT THE TOP" : "ROOT AT THE TOP");
    const struct tree *tree = &rows_of(scene)->tree;
    uint32_t zoom = rows_of(scene)->zoom;
    if (zoom != UINT32_MAX) {
        buf_puts(&text, "   zoomed to ");
        put_label(canvas, state, canvas->cols / 2, &tree->nodes[zoom], &text);
    } else if (state->file.subject == SUBJECT_PAIR) {
        buf_puts(&text, "   width: old and new");
        buf_puts(&text, canvas->cols < 80 ? "" : " together; red grew, green shrank");
    } else if (cost_ns(tree->all)) {
        buf_printf(&text, "   %s %s", canvas->cols < 60 ? "width:" : "the whole width is",
                   label_value(scene, state, cost_ns(tree->all), time));
    }
    canvas_fill(canvas, area.row, area.col, area.cols, ROLE_HEADER);
    canvas_clipped(canvas, area.row, area.col + 1, area.cols - 1, ROLE_HEADER, text.data);
}

static void draw(struct picture *picture, struct box area, const struct scene *scene,
                 struct state *state)
{
    const struct flame *flame = &rows_of(scene)->flame;
    struct cursor *cursor = &state->cursors[VIEW_FLAME];
    if (area.rows < 1)
        return;
    draw_title(picture, area, scene, state);
    if (!flame->count) {
        table_draw_empty(picture, area, scene, state, NULL);
        return;
    }
    struct cursor depth = {.at = flame->cells[cursor->at].depth, .first = cursor->first};
    table_keep_visible(&depth, flame->depths, area.rows - 1);
    cursor->first = depth.first;
    for (int pass = 0; pass < 2; pass++) // cells that are too narrow are drawn first, below
        for (size_t i = 0; i < flame->count; i++) {
            int row = area.row + 1 + (int)flame->cells[i].depth - (int)cursor->first;
            struct cell_span span = span_of(&flame->cells[i], area);
            if (row <= area.row || row >= area.row + area.rows)
                continue;
            if (pass == 0 && span.end <= span.col && span.col < area.col + area.cols)
                canvas_glyph(&picture->canvas, row, span.col, ROLE_DIM, GLYPH_MERGED);
            if (pass == 1 && span.end > span.col)
                draw_cell(picture, row, span, scene, state, i);
        }
}

// The message line has the node's whole name and its share.
static void put_row(const struct canvas *canvas, const struct scene *scene,
                    const struct state *state, struct buf *out)
{
    const struct tree_node *node = node_at(scene, state->cursors[VIEW_FLAME].at);
    enum rows_measure measure = rows_measure(&state->query);
    struct cost all = rows_of(scene)->tree.all;
    char time[FIGURES_MOST];
    put_label(canvas, state, canvas->cols / 2, node, out);
    bool pair = state->file.subject == SUBJECT_PAIR;
    buf_printf(out, pair ? "  total %+.1f%%" : "  total %.1f%%",
               rows_percent(measure, node->total, all));
    if (cost_ns(node->total))
        buf_printf(out, " %s", label_value(scene, state, cost_ns(node->total), time));
    buf_printf(out, pair ? "  self %+.1f%%" : "  self %.1f%%",
               rows_percent(measure, node->self, all));
    if (filter_is_wall(&state->query.filter))
        buf_printf(out, "  running %.1f%%",
                   figures_percent(node->total.cpu_ns, cost_ns(node->total)));
    if (node->function && *node->function->module)
        buf_printf(out, "  %s", label_module(state, node->function));
    if (*node->file) {
        buf_puts(out, "  ");
        label_line(state, node->file, node->line, out);
    }
}

// --- the rows: its cells ---

static void lay_out(struct scene *scene, struct state *state)
{
    struct flame_rows *rows = scene->rows;
    rows->zoom = state->zoom ? tree_find(&rows->tree, state->zoom) : UINT32_MAX;
    if (rows->zoom == UINT32_MAX)
        state->zoom = 0;
    flame_fini(&rows->flame);
    rows_flame(&rows->tree, rows->zoom, &rows->flame);
    scene->count = rows->flame.count;
}

static enum rc make(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err)
{
    struct flame_rows *rows = scene->rows;
    enum rc rc = rows_tree(&scene->snapshot->moment, query, &rows->tree, err);
    lay_out(scene, state);
    scene->all = rows->tree.all;
    return rc;
}

static void free_rows(void *rows)
{
    struct flame_rows *flame_rows = rows;
    tree_fini(&flame_rows->tree);
    flame_fini(&flame_rows->flame);
}

static struct item item(const struct scene *scene, size_t row)
{
    return scene_node_item(node_at(scene, row));
}

static size_t widest_root(const struct scene *scene)
{
    const struct flame *flame = &rows_of(scene)->flame;
    size_t widest = 0;
    for (size_t i = 0; i < flame->count && flame->cells[i].depth == 0; i++)
        if (flame->cells[i].width > flame->cells[widest].width)
            widest = i;
    return widest;
}

// A graph that is zoomed into keeps its rows.
static bool keeps(const struct state *state, int64_t age)
{
    return state->zoom || age < STEADY_NS;
}

// --- keys: from cell to cell ---

static void select_node(struct app *app, uint32_t node)
{
    const struct flame *flame = &rows_of(app->scene)->flame;
    for (size_t i = 0; i < flame->count; i++)
        if (flame->cells[i].node == node) {
            scene_select(app->scene, app->state, i);
            return;
        }
}

static unsigned to_caller(struct app *app)
{
    if (act_has_rows(app))
        select_node(app, node_at(app->scene, act_cursor(app)->at)->parent);
    return 0;
}

static unsigned to_callee(struct app *app)
{
    if (act_has_rows(app) && node_at(app->scene, act_cursor(app)->at)->children)
        select_node(app, rows_of(app->scene)->flame.cells[act_cursor(app)->at].node + 1);
    return 0;
}

// Moves the cursor to the next visible cell of the same depth.
static unsigned to_sibling(struct app *app, int step)
{
    const struct flame *flame = &rows_of(app->scene)->flame;
    size_t at = act_cursor(app)->at;
    for (size_t to = at + (size_t)step;
         to < flame->count && flame->cells[to].depth == flame->cells[at].depth; to += (size_t)step)
        if (flame->cells[to].width * app->picture->canvas.cols >= 1) {
            scene_select(app->scene, app->state, to);
            return 0;
        }
    return 0;
}

// The tree stays: that of a large file takes a while to make.
static unsigned zoom_to(struct app *app, uint64_t node)
{
    app->state->zoom = node;
    lay_out(app->scene, app->state);
    scene_follow(app->scene, app->state);
    return 0;
}

static unsigned zoom_in(struct app *app)
{
    return act_has_rows(app) ? zoom_to(app, node_at(app->scene, act_cursor(app)->at)->id) : 0;
}

static unsigned zoom_out(struct app *app)
{
    return app->state->zoom ? zoom_to(app, 0) : act_back(app);
}

static unsigned zoom_reset(struct app *app)
{
    return zoom_to(app, 0);
}

static const struct view_key keys[] = {
    {ACTION_UP, {.act = to_caller}},
    {ACTION_DOWN, {.act = to_callee}},
    {ACTION_LEFT, {.act_by = to_sibling, .by = -1}},
    {ACTION_RIGHT, {.act_by = to_sibling, .by = 1}},
    {ACTION_ENTER, {.act = zoom_in}},
    {ACTION_BACK, {.act = zoom_out}},
    {ACTION_ZOOM_RESET, {.act = zoom_reset}},
};

const struct view view_flame = {
    .title = "Flame",
    .inverts = true,
    .rows = {sizeof(struct flame_rows), make, free_rows, item, widest_root, keeps},
    .draw = draw,
    .put_row = put_row,
    .action = ACTION_VIEW_FLAME,
    .keys = keys,
    .key_count = ARRAY_LENGTH(keys),
};
