// SPDX-License-Identifier: MIT
// What lies over a view: the help and the menus.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/table.h"

#define HELP_TWO_COLUMNS 90
#define HELP_KEYS 13 // columns for the keys of an action

// --- help ---

struct help_line {
    enum action action; // ACTION_NONE: a title, or nothing
    enum help_group group;
    bool blank;
};

static size_t help_lines(struct help_line *lines)
{
    size_t count = 0;
    for (int group = 0; group < HELP_COUNT; group++) {
        if (group)
            lines[count++] = (struct help_line){ACTION_NONE, (enum help_group)group, true};
        lines[count++] = (struct help_line){ACTION_NONE, (enum help_group)group, false};
        for (int action = 0; action < ACTION_COUNT; action++)
            if (keymap_row((enum action)action)->group == (enum help_group)group)
                lines[count++] = (struct help_line){(enum action)action, HELP_COUNT, false};
    }
    return count;
}

static void draw_help_line(struct canvas *canvas, int row, int col, int width,
                           const struct help_line *line)
{
    AUTO_BUF struct buf keys = {0};
    if (line->blank)
        return;
    if (line->action == ACTION_NONE) {
        canvas_text(canvas, row, col, width, ROLE_STRONG, keymap_group_title(line->group));
        return;
    }
    keymap_key_names(line->action, &keys);
    canvas_right(canvas, row, col, col + HELP_KEYS, ROLE_CRUMB, keys.data);
    canvas_clipped(canvas, row, col + HELP_KEYS + 2, width - HELP_KEYS - 2, ROLE_DEFAULT,
                   keymap_row(line->action)->help);
}

// Lines of help in a column of the page, and how many columns there are.
static size_t help_height(const struct canvas *canvas, size_t count, size_t *columns)
{
    *columns = canvas->cols >= HELP_TWO_COLUMNS ? 2 : 1;
    return (count + *columns - 1) / *columns;
}

int overlay_help_lines(const struct canvas *canvas)
{
    struct help_line lines[ACTION_COUNT + 2 * HELP_COUNT];
    size_t columns;
    int beyond = (int)help_height(canvas, help_lines(lines), &columns) - (canvas->rows - 2);
    return beyond > 0 ? beyond : 0;
}

static void draw_help(struct picture *picture, struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    struct help_line lines[ACTION_COUNT + 2 * HELP_COUNT];
    size_t columns, count = help_lines(lines), height = help_height(canvas, count, &columns);
    size_t page = (size_t)canvas->rows - 2, beyond = (size_t)overlay_help_lines(canvas);
    if (state->menu.first > beyond)
        state->menu.first = beyond;
    canvas_box(canvas, 0, 0, canvas->rows, canvas->cols,
               beyond ? "ptprof top: keys (arrows scroll, any other key goes back)"
                      : "ptprof top: keys (any key goes back)");
    int width = (canvas->cols - 2) / (int)columns;
    for (size_t i = 0; i < count; i++) {
        size_t column = i / height, line = i % height;
        if (line >= state->menu.first && line < state->menu.first + page)
            draw_help_line(canvas, 1 + (int)(line - state->menu.first),
                           2 + (int)column * width, width - 2, &lines[i]);
    }
}

// --- menus ---

static void put_choice(const struct scene *scene, const struct state *state, size_t row,
                       struct buf *out)
{
    if (state->overlay == OVERLAY_SORT) {
        size_t count;
        const enum rows_sort *sorts = picture_sorts(state->view, &count);
        bool current = sorts[row] == state_query(state).sort;
        buf_printf(out, "%c %s", current ? '*' : ' ', picture_sort_title(sorts[row]));
        return;
    }
    if (row == 0) {
        buf_puts(out, "       all threads");
        return;
    }
    const struct thread_row *thread = &scene->choices.rows[row - 1];
    buf_printf(out, "%7d  %-15s  %c %5.1f%%", (int)thread->tid, thread->name, thread->state,
               thread->cpu_percent);
}

size_t overlay_count(const struct scene *scene, const struct state *state)
{
    size_t count = 0;
    if (state->overlay == OVERLAY_THREADS)
        return scene->choices.count + 1;
    if (state->overlay == OVERLAY_SORT)
        picture_sorts(state->view, &count);
    return count;
}

static void draw_menu(struct picture *picture, const struct scene *scene, struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    bool threads = state->overlay == OVERLAY_THREADS;
    size_t count = overlay_count(scene, state);
    int cols = threads ? 40 : 20, rows = (int)count + 2;
    cols = cols < canvas->cols ? cols : canvas->cols;
    rows = rows < canvas->rows ? rows : canvas->rows;
    int row = (canvas->rows - rows) / 2, col = (canvas->cols - cols) / 2;
    if (state->menu.at >= count)
        state->menu.at = count ? count - 1 : 0;
    table_keep_visible(&state->menu, count, rows - 2);
    canvas_box(canvas, row, col, rows, cols, threads ? "show" : "sort by");
    for (int i = 0; i < rows - 2 && state->menu.first + (size_t)i < count; i++) {
        size_t at = state->menu.first + (size_t)i;
        AUTO_BUF struct buf text = {0};
        enum role role = at == state->menu.at ? ROLE_SELECTED : ROLE_DEFAULT;
        put_choice(scene, state, at, &text);
        canvas_fill(canvas, row + 1 + i, col + 1, cols - 2, role);
        canvas_clipped(canvas, row + 1 + i, col + 2, cols - 4, role, text.data);
        picture_add_zone(picture, (struct box){row + 1 + i, col + 1, 1, cols - 2}, ACTION_ENTER,
                         (int)at);
    }
}

void overlay_draw(struct picture *picture, const struct scene *scene, struct state *state)
{
    if (state->overlay == OVERLAY_HELP)
        draw_help(picture, state);
    else if (state->overlay)
        draw_menu(picture, scene, state);
}
