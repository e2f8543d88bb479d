// SPDX-License-Identifier: MIT
// The flame graph, root at the top: a line a depth, as wide as its share.
#include <stdlib.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/table.h"

#define ROUNDING 1e-9 // shares are sums of floating-point numbers

struct span {
    int col, end;
};

static struct span span_of(const struct flame_cell *cell, struct box area)
{
    int first = (int)(cell->start * area.cols + ROUNDING);
    int end = (int)((cell->start + cell->width) * area.cols + ROUNDING);
    return (struct span){area.col + first, area.col + (end < area.cols ? end : area.cols)};
}

// The same module has the same colour in every picture.
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

static void draw_cell(struct picture *picture, int row, struct span span,
                      const struct scene *scene, const struct state *state, size_t index)
{
    struct canvas *canvas = &picture->canvas;
    const struct tree_node *node = &scene->tree.nodes[scene->flame.cells[index].node];
    AUTO_BUF struct buf label = {0};
    put_label(canvas, state, span.end - span.col - 1, node, &label);
    enum role role = role_of_module(node->function);
    if (scene_match(state, label.data))
        role = ROLE_FLAME_MATCH;
    if (index == state->cursors[VIEW_FLAME].at)
        role = ROLE_FLAME_SELECTED;
    // The last column stays free, so that neighbours of one colour are two.
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
    char time[LABEL_MOST];
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, state->query.inverted ? "LEAVES AT THE TOP" : "ROOT AT THE TOP");
    uint32_t zoom = state->zoom ? tree_find(&scene->tree, state->zoom) : UINT32_MAX;
    if (zoom != UINT32_MAX) {
        buf_puts(&text, "   zoomed to ");
        put_label(canvas, state, canvas->cols / 2, &scene->tree.nodes[zoom], &text);
    } else if (cost_ns(scene->tree.all)) {
        buf_printf(&text, "   %s %s", canvas->cols < 60 ? "width:" : "the whole width is",
                   label_time((int64_t)cost_ns(scene->tree.all), time));
    }
    canvas_fill(canvas, area.row, area.col, area.cols, ROLE_HEADER);
    canvas_clipped(canvas, area.row, area.col + 1, area.cols - 1, ROLE_HEADER, text.data);
}

void view_flame_draw(struct picture *picture, struct box area, const struct scene *scene,
                     struct state *state)
{
    const struct flame *flame = &scene->flame;
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
    for (int pass = 0; pass < 2; pass++) // what is too narrow lies below
        for (size_t i = 0; i < flame->count; i++) {
            int row = area.row + 1 + (int)flame->cells[i].depth - (int)cursor->first;
            struct span span = span_of(&flame->cells[i], area);
            if (row <= area.row || row >= area.row + area.rows)
                continue;
            if (pass == 0 && span.end <= span.col && span.col < area.col + area.cols)
                canvas_glyph(&picture->canvas, row, span.col, ROLE_DIM, GLYPH_MERGED);
            if (pass == 1 && span.end > span.col)
                draw_cell(picture, row, span, scene, state, i);
        }
}
