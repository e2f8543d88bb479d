// SPDX-License-Identifier: MIT
#include "tui/picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "tui/view.h"

#define ROWS_WHOLE_HEADER 16
#define ROWS_BAR 12 // least rows of a screen that has the function bar and two lines of header

struct layout picture_layout(int rows, int cols, bool bar)
{
    struct layout layout = {-1, -1, -1, -1, {0, 0, 0, cols}, rows - 1, -1, false};
    layout.too_small = rows < SCREEN_ROWS_LEAST || cols < SCREEN_COLS_LEAST;
    int next = 0;
    layout.title = next++;
    if (rows >= ROWS_WHOLE_HEADER)
        layout.cpu = next++;
    if (rows >= ROWS_BAR)
        layout.quality = next++;
    if (rows >= ROWS_WHOLE_HEADER)
        layout.crumbs = next++;
    if (rows >= ROWS_BAR && bar) {
        layout.bar = rows - 1;
        layout.message = rows - 2;
    }
    layout.body.row = next;
    layout.body.rows = layout.message - next;
    return layout;
}

void picture_fini(struct picture *picture)
{
    canvas_fini(&picture->canvas);
    free(picture->zones);
    *picture = (struct picture){0};
}

void picture_add_zone(struct picture *picture, struct box area, enum action action, int arg)
{
    ARRAY_RESERVE(picture->zones, picture->zone_count, picture->zone_capacity);
    picture->zones[picture->zone_count++] = (struct zone){area, action, arg};
}

const struct zone *picture_zone(const struct picture *picture, int row, int col)
{
    for (size_t i = picture->zone_count; i > 0; i--) {
        const struct zone *zone = &picture->zones[i - 1];
        const struct box *area = &zone->area;
        if (row >= area->row && row < area->row + area->rows && col >= area->col &&
            col < area->col + area->cols)
            return zone;
    }
    return NULL;
}

int picture_page(const struct picture *picture, const struct state *state)
{
    struct layout layout =
        picture_layout(picture->canvas.rows, picture->canvas.cols, state->wanted.bar);
    int rows = state->overlay ? picture->canvas.rows - 2 : layout.body.rows - 1;
    return rows > 1 ? rows : 1;
}

static void draw_too_small(struct canvas *canvas)
{
    char text[48];
    int width = snprintf(text, sizeof text, "need %dx%d, have %dx%d", SCREEN_COLS_LEAST,
                         SCREEN_ROWS_LEAST, canvas->cols, canvas->rows);
    int col = (canvas->cols - width) / 2;
    canvas_text(canvas, canvas->rows / 2, col > 0 ? col : 0, canvas->cols, ROLE_DEFAULT, text);
}

// A view keeps its cursor visible.
static void draw_view(struct picture *picture, struct box area, const struct scene *scene,
                      struct state *state)
{
    const struct view *view = views[scene->view];
    if (view->table)
        table_draw(picture, area, scene, state, view_table(scene->view, state));
    else
        view->draw(picture, area, scene, state);
}

void picture_draw(struct picture *picture, const struct snapshot *shown, const struct scene *scene,
                  struct state *state, int64_t now)
{
    struct canvas *canvas = &picture->canvas;
    struct layout layout = picture_layout(canvas->rows, canvas->cols, state->wanted.bar);
    picture->zone_count = 0;
    if (layout.too_small) {
        draw_too_small(canvas);
        return;
    }
    header_draw(picture, &layout, shown, scene, state);
    draw_view(picture, layout.body, scene, state);
    footer_draw(picture, &layout, shown, scene, state, now);
    overlay_draw(picture, scene, state);
}

const char *picture_sort_title(const struct state *state, enum rows_sort sort)
{
    static const char *const titles[SORT_COUNT] = {
        [SORT_SELF] = "SELF%",        [SORT_TOTAL] = "TOTAL%",     [SORT_SELF_TIME] = "SELF",
        [SORT_TOTAL_TIME] = "TOTAL",  [SORT_SAMPLES] = "SAMPLES",  [SORT_THREADS] = "THR",
        [SORT_FUNCTION] = "NAME",     [SORT_MODULE] = "MODULE",    [SORT_LINE] = "FILE:LINE",
        [SORT_CPU] = "CPU%",          [SORT_TID] = "TID",          [SORT_STATE] = "STATE",
        [SORT_HELD] = "HELD",         [SORT_DELAY] = "DELAY",
    };
    if (state->file.subject != SUBJECT_RUN)
        return table_title(view_table(state->view, state), sort);
    bool waits = sort == SORT_SAMPLES && filter_is_delay(&state->query.filter);
    return waits ? "WAITS" : titles[sort];
}
