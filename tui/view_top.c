// SPDX-License-Identifier: MIT
// Functions, hottest first.
#include <inttypes.h>
#include <stdio.h>

#include "tui/label.h"
#include "tui/table.h"

#define SAMPLES_SURE 5 // rows with fewer are dim: their percentages mean little

static const struct function_row *row_of(const struct slot *slot)
{
    return &slot->scene->functions.rows[slot->index];
}

static void draw_share(const struct slot *slot, struct cost cost)
{
    struct cost all = slot->scene->functions.all;
    double percent = rows_percent(rows_measure(&slot->state->query), cost, all);
    char text[LABEL_MOST];
    bool sure = row_of(slot)->total.samples >= SAMPLES_SURE;
    slot_number(slot, sure ? theme_heat(percent) : ROLE_COLD, label_percent(percent, text));
}

static void draw_self(const struct slot *slot)
{
    draw_share(slot, row_of(slot)->self);
}

static void draw_total(const struct slot *slot)
{
    draw_share(slot, row_of(slot)->total);
}

static void draw_running(const struct slot *slot)
{
    slot_running(slot, row_of(slot)->total);
}

static void draw_self_time(const struct slot *slot)
{
    slot_time(slot, cost_ns(row_of(slot)->self_all));
}

static void draw_total_time(const struct slot *slot)
{
    slot_time(slot, cost_ns(row_of(slot)->total_all));
}

#define TREND_TOP 0.8 // rows do not grow together

// Against the function's own highest window; one that hardly counts is flat.
static void draw_trend(const struct slot *slot)
{
    const struct function_row *row = row_of(slot);
    size_t count = slot->scene->functions.trend_count;
    float most = 1;
    for (size_t i = 0; i < TREND_LENGTH; i++)
        most = row->trend[i] > most ? row->trend[i] : most;
    for (size_t i = TREND_LENGTH - count; i < TREND_LENGTH; i++) {
        const char *block = theme_block(slot->picture->canvas.utf8,
                                        TREND_TOP * row->trend[i] / most);
        canvas_text(&slot->picture->canvas, slot->row, slot->col + (int)i, 1, ROLE_CHART, block);
    }
}

static void draw_samples(const struct slot *slot)
{
    char text[LABEL_MOST];
    snprintf(text, sizeof text, "%" PRIu64, row_of(slot)->self.samples);
    slot_number(slot, ROLE_DEFAULT, text);
}

static void draw_threads(const struct slot *slot)
{
    char text[LABEL_MOST];
    snprintf(text, sizeof text, "%" PRIu32, row_of(slot)->threads);
    slot_number(slot, ROLE_DEFAULT, text);
}

static void draw_function(const struct slot *slot)
{
    const struct function_row *row = row_of(slot);
    bool sure = row->total.samples >= SAMPLES_SURE;
    slot_function(slot, 0, sure ? ROLE_DEFAULT : ROLE_COLD, row->function, row->inlined);
}

static void draw_line(const struct slot *slot)
{
    slot_line(slot, row_of(slot)->file, row_of(slot)->line);
}

static void draw_module(const struct slot *slot)
{
    canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_MODULE,
                    label_module(slot->state, row_of(slot)->function));
}

// Shown while they are sorted by.
static bool never(const struct state *state)
{
    (void)state;
    return false;
}

static bool is_short(const struct state *state)
{
    return !state->verbose;
}

static bool is_long(const struct state *state)
{
    return state->verbose;
}

static void draw_second(const struct slot *slot)
{
    const struct function_row *row = row_of(slot);
    struct cost all = slot->scene->functions.all;
    double percent = rows_percent(rows_measure(&slot->state->query), row->total, all);
    char total[LABEL_MOST];
    struct canvas *canvas = &slot->picture->canvas;
    canvas_right(canvas, slot->row, slot->col - 1, slot->col + 4, theme_heat(percent),
                 label_percent(percent, total));
    canvas_text(canvas, slot->row, slot->col + 5, 6, ROLE_DIM, "total");
    canvas_clipped(canvas, slot->row, slot->col + 11, slot->width - 11, ROLE_MODULE,
                   label_module(slot->state, row->function));
}

static const struct column columns[] = {
    {"SELF%", 6, 0, true, SORT_SELF, NULL, draw_self},
    {"TOTAL%", 6, 50, true, SORT_TOTAL, NULL, draw_total},
    {"RUN%", 6, 60, true, SORT_COUNT, table_shows_wall, draw_running},
    {"SELF", 7, 80, true, SORT_SELF_TIME, NULL, draw_self_time},
    {"TOTAL", 7, 80, true, SORT_TOTAL_TIME, NULL, draw_total_time},
    {"TREND", TREND_LENGTH, 100, false, SORT_COUNT, NULL, draw_trend},
    {"SAMPLES", 8, 60, true, SORT_SAMPLES, never, draw_samples},
    {"THR", 4, 60, true, SORT_THREADS, never, draw_threads},
    {"FUNCTION", 0, 0, false, SORT_FUNCTION, NULL, draw_function},
    {"FILE:LINE", 22, 60, false, SORT_LINE, table_wants_lines, draw_line},
    {"MODULE", 15, 80, false, SORT_MODULE, is_short, draw_module},
    {"MODULE", 34, 80, false, SORT_COUNT, is_long, draw_module},
};

void view_top_draw(struct picture *picture, struct box area, const struct scene *scene,
                   struct state *state)
{
    static const struct table table = {
        columns, sizeof columns / sizeof *columns, NULL, draw_second};
    table_draw(picture, area, scene, state, &table);
}
