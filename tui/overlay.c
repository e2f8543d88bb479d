// SPDX-License-Identifier: MIT
// Overlays are drawn over a view: the help and the menus.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

#define HELP_COLUMN 48    // width of a column of the page
#define HELP_COLUMNS_MOST 3
#define HELP_KEYS 13      // width of the keys of an action

// --- help ---

// The lines of the page from top to bottom. The left side of a title or a blank line is empty.
struct help_page {
    size_t count;
    struct help_line {
        char left[24];
        const char *text;
    } lines[ACTION_COUNT + 2 * HELP_COUNT + 32];
};

static void add_line(struct help_page *page, const char *left, const char *text)
{
    if (page->count == ARRAY_LENGTH(page->lines))
        return;
    struct help_line *line = &page->lines[page->count++];
    snprintf(line->left, sizeof line->left, "%s", left);
    line->text = text;
}

static void add_group(struct help_page *page, enum help_group group, enum subject subject)
{
    if (page->count)
        add_line(page, "", "");
    add_line(page, "", keymap_group_title(group));
    for (int action = 0; action < ACTION_COUNT; action++) {
        AUTO_BUF struct buf keys = {0};
        const struct action_row *row = keymap_row((enum action)action);
        if (row->group != group || keymap_why_not((enum action)action, subject))
            continue;
        keymap_key_names((enum action)action, &keys);
        add_line(page, keys.data, row->help);
    }
}

static void make_help(struct help_page *page, enum subject subject)
{
    size_t count;
    const struct keymap_word *words = keymap_words(&count);
    page->count = 0;
    for (int group = 0; group < HELP_COUNT; group++)
        add_group(page, (enum help_group)group, subject);
    add_line(page, "", "");
    add_line(page, "", "Words on the screen");
    for (size_t i = 0; i < count; i++)
        if (words[i].subjects >> subject & 1)
            add_line(page, words[i].word, words[i].meaning);
}

static void draw_help_line(struct canvas *canvas, int row, int col, int width,
                           const struct help_line *line)
{
    if (!*line->left) {
        canvas_text(canvas, row, col, width, ROLE_STRONG, line->text);
        return;
    }
    canvas_right(canvas, row, col, col + HELP_KEYS, ROLE_CRUMB, line->left);
    canvas_clipped(canvas, row, col + HELP_KEYS + 2, width - HELP_KEYS - 2, ROLE_DEFAULT,
                   line->text);
}

// Returns the number of lines in a column of the page, and sets the number of columns.
static size_t help_height(const struct canvas *canvas, size_t count, size_t *columns)
{
    size_t fit = (size_t)canvas->cols / HELP_COLUMN;
    *columns = fit < 1 ? 1 : fit < HELP_COLUMNS_MOST ? fit : HELP_COLUMNS_MOST;
    return (count + *columns - 1) / *columns;
}

static int lines_beyond(const struct canvas *canvas, size_t count)
{
    size_t columns;
    int beyond = (int)help_height(canvas, count, &columns) - (canvas->rows - 2);
    return beyond > 0 ? beyond : 0;
}

int overlay_help_lines(const struct canvas *canvas, const struct state *state)
{
    struct help_page page;
    make_help(&page, state->file.subject);
    return lines_beyond(canvas, page.count);
}

static void draw_help(struct picture *picture, struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    struct help_page page;
    bool run = state->file.subject == SUBJECT_RUN;
    AUTO_BUF struct buf title = {0};
    make_help(&page, state->file.subject);
    size_t columns, height = help_height(canvas, page.count, &columns);
    size_t rows = (size_t)canvas->rows - 2, beyond = (size_t)lines_beyond(canvas, page.count);
    if (state->menu.first > beyond)
        state->menu.first = beyond;
    buf_printf(&title, "ptprof %s: help (%s key goes back)", run ? "top" : "view",
               beyond ? "arrows scroll, any other" : "any");
    canvas_box(canvas, 0, 0, canvas->rows, canvas->cols, title.data);
    if (state->menu.first < beyond)
        canvas_text(canvas, canvas->rows - 1, canvas->cols - 9, 8, ROLE_STRONG, " more ");
    int width = (canvas->cols - 2) / (int)columns;
    for (size_t i = 0; i < page.count; i++) {
        size_t column = i / height, line = i % height;
        if (line >= state->menu.first && line < state->menu.first + rows)
            draw_help_line(canvas, 1 + (int)(line - state->menu.first),
                           2 + (int)column * width, width - 2, &page.lines[i]);
    }
}

// --- menus ---

static void put_thread(const struct thread_row *thread, struct buf *out)
{
    buf_printf(out, "%7d  %-15s  %c %5.1f%%", (int)thread->tid, thread->name, thread->state,
               thread->cpu_percent);
}

// Of a file: a thread, or a value of the label.
static void put_value(const struct scene *scene, const struct thread_row *thread, struct buf *out)
{
    char tid[FIGURES_MOST] = "";
    if (thread->tid && thread->count == 1)
        snprintf(tid, sizeof tid, "%d", (int)thread->tid);
    buf_printf(out, scene->measure.pair ? "%7s  %-15s %+6.1f%%" : "%7s  %-15s  %5.1f%%", tid,
               thread->name, rows_percent(MEASURE_TIME, thread->cost, scene->choices.all));
}

static void put_key(const struct scene *scene, size_t row, struct buf *out)
{
    if (row == 0) {
        buf_puts(out, "thread");
        return;
    }
    const struct plain_key *key = &scene->keys.list[row - 1];
    buf_printf(out, "%-22s  %" PRIu32 " value%s",
               plain_string(scene->snapshot->moment.profile, key->key), key->values,
               key->values == 1 ? "" : "s");
}

static void put_choice(const struct scene *scene, const struct state *state, size_t row,
                       struct buf *out)
{
    if (state->overlay == OVERLAY_SORT) {
        enum rows_sort sorts[SORT_COUNT];
        table_sorts(view_table(state->view, state), sorts);
        bool current = sorts[row] == state_query(state).sort;
        buf_printf(out, "%c %s", current ? '*' : ' ', picture_sort_title(state, sorts[row]));
        return;
    }
    if (state->overlay == OVERLAY_LABELS)
        put_key(scene, row, out);
    else if (row == 0)
        buf_printf(out, "       all %s", state->file.label ? state->file.label : "threads");
    else if (state->file.subject == SUBJECT_RUN)
        put_thread(&scene->choices.rows[row - 1], out);
    else
        put_value(scene, &scene->choices.rows[row - 1], out);
}

size_t overlay_count(const struct scene *scene, const struct state *state)
{
    enum rows_sort sorts[SORT_COUNT];
    if (state->overlay == OVERLAY_THREADS)
        return scene->choices.count + 1;
    if (state->overlay == OVERLAY_LABELS)
        return scene->keys.count + 1;
    return state->overlay == OVERLAY_SORT ? table_sorts(view_table(state->view, state), sorts) : 0;
}

static void draw_menu(struct picture *picture, const struct scene *scene, struct state *state)
{
    struct canvas *canvas = &picture->canvas;
    bool sorts = state->overlay == OVERLAY_SORT;
    size_t count = overlay_count(scene, state);
    int cols = sorts ? 20 : 40, rows = (int)count + 2;
    cols = cols < canvas->cols ? cols : canvas->cols;
    rows = rows < canvas->rows ? rows : canvas->rows;
    int row = (canvas->rows - rows) / 2, col = (canvas->cols - cols) / 2;
    if (state->menu.at >= count)
        state->menu.at = count ? count - 1 : 0;
    table_keep_visible(&state->menu, count, rows - 2);
    canvas_box(canvas, row, col, rows, cols,
               sorts                               ? "sort by"
               : state->overlay == OVERLAY_LABELS ? "list by label"
                                                   : "show");
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
