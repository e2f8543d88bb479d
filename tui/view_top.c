// SPDX-License-Identifier: MIT
// This view lists functions, hottest first.
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

#define SAMPLES_SURE 5 // rows with fewer samples are dim, because their percentages are uncertain

static const struct function_rows *rows_of(const struct scene *scene)
{
    return scene->rows;
}

static const struct function_row *row_of(const struct slot *slot)
{
    return &rows_of(slot->scene)->rows[slot->index];
}

// Only samples of CPU and wall time are so few that it matters.
static bool is_sure(const struct slot *slot)
{
    bool counted = slot->state->file.subject == SUBJECT_RUN ||
                   (slot->state->file.subject == SUBJECT_FILE && slot->scene->measure.ours);
    return !counted || row_of(slot)->total.samples >= SAMPLES_SURE;
}

static void draw_share(const struct slot *slot, struct cost cost)
{
    struct cost all = rows_of(slot->scene)->all;
    double percent = rows_percent(rows_measure(&slot->state->query), cost, all);
    if (is_sure(slot) && slot->state->file.subject != SUBJECT_RUN) {
        slot_percent(slot, percent);
        return;
    }
    char text[FIGURES_MOST];
    slot_number(slot, is_sure(slot) ? theme_heat(percent) : ROLE_COLD,
                label_share(slot->state, percent, text));
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
    slot_value(slot, cost_ns(row_of(slot)->self_all));
}

static void draw_total_time(const struct slot *slot)
{
    slot_value(slot, cost_ns(row_of(slot)->total_all));
}

#define TREND_TOP 0.8 // height of the highest bar, so that bars of adjacent rows do not touch

// The scale of a trend is the function's own maximum. The trend of a negligible function is flat.
static void draw_trend(const struct slot *slot)
{
    const struct function_row *row = row_of(slot);
    size_t count = rows_of(slot->scene)->trend_count;
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
    char text[FIGURES_MOST];
    snprintf(text, sizeof text, "%" PRId64, row_of(slot)->self.samples);
    slot_number(slot, ROLE_DEFAULT, text);
}

// What both profiles have together and what has changed say what each has.
static void draw_one_of_two(const struct slot *slot, int sign)
{
    struct cost total = row_of(slot)->total;
    int64_t value = (total.size + sign * cost_ns(total)) / 2;
    char text[FIGURES_MOST];
    slot_number(slot, ROLE_DIM,
                value ? figures_value(value, slot->scene->measure.unit, false, text) : "");
}

static void draw_old(const struct slot *slot)
{
    draw_one_of_two(slot, -1);
}

static void draw_new(const struct slot *slot)
{
    draw_one_of_two(slot, 1);
}

static void draw_threads(const struct slot *slot)
{
    char text[FIGURES_MOST];
    snprintf(text, sizeof text, "%" PRIu32, row_of(slot)->threads);
    slot_number(slot, ROLE_DEFAULT, text);
}

static void draw_function(const struct slot *slot)
{
    const struct function_row *row = row_of(slot);
    slot_function(slot, 0, is_sure(slot) ? ROLE_DEFAULT : ROLE_COLD, row->function, row->inlined);
}

static void draw_delay(const struct slot *slot)
{
    struct cost self = row_of(slot)->self;
    char text[FIGURES_MOST];
    slot_number(slot, ROLE_DEFAULT,
                cost_is_any(self) ? figures_three((int64_t)cost_ns(self), text) : "");
}

static void draw_waits(const struct slot *slot)
{
    if (cost_is_any(row_of(slot)->self))
        draw_samples(slot);
}

// In a mutex profile there are those who hold the lock, too.
static void put_wait(const struct function_row *row, const struct state *state, struct buf *out)
{
    bool mutex = filter_kind(&state->query.filter) == PROFILE_MUTEX;
    buf_printf(out, "%s%s%s", mutex ? "" : row->wait, *row->lock && !mutex ? " " : "", row->lock);
}

static void draw_wait(const struct slot *slot)
{
    AUTO_BUF struct buf text = {0};
    put_wait(row_of(slot), slot->state, &text);
    if (text.length)
        canvas_squeezed(&slot->picture->canvas, slot->row, slot->col, slot->width, ROLE_DIM,
                        text.data);
}

static void draw_line(const struct slot *slot)
{
    slot_line(slot, row_of(slot)->file, row_of(slot)->line);
}

static void draw_module(const struct slot *slot)
{
    slot_module(slot, row_of(slot)->function);
}

static void draw_second(const struct slot *slot)
{
    const struct function_row *row = row_of(slot);
    struct cost all = rows_of(slot->scene)->all;
    double percent = rows_percent(rows_measure(&slot->state->query), row->total, all);
    char total[FIGURES_MOST];
    struct canvas *canvas = &slot->picture->canvas;
    bool change = slot->state->file.subject == SUBJECT_PAIR;
    int col = slot->col + change; // for the sign
    canvas_right(canvas, slot->row, slot->col - 1, col + 4,
                 change ? theme_change(percent) : theme_heat(percent),
                 label_share(slot->state, percent, total));
    canvas_text(canvas, slot->row, col + 5, 6, ROLE_DIM, "total");
    canvas_clipped(canvas, slot->row, col + 11, slot->width - 11 - change, ROLE_MODULE,
                   label_module(slot->state, row->function));
}

static const struct column columns[] = {
    {"SELF%", 6, 0, true, SORT_SELF, WHEN_ALWAYS, draw_self},
    {"TOTAL%", 6, 50, true, SORT_TOTAL, WHEN_ALWAYS, draw_total},
    {"RUN%", 6, 60, true, SORT_COUNT, WHEN_WALL, draw_running},
    {"SELF", 7, 80, true, SORT_SELF_TIME, WHEN_ALWAYS, draw_self_time},
    {"TOTAL", 7, 80, true, SORT_TOTAL_TIME, WHEN_ALWAYS, draw_total_time},
    {"TREND", TREND_LENGTH, 100, false, SORT_COUNT, WHEN_ALWAYS, draw_trend},
    {"SAMPLES", 8, 60, true, SORT_SAMPLES, WHEN_SORTED, draw_samples},
    {"THR", 4, 60, true, SORT_THREADS, WHEN_SORTED, draw_threads},
    {"FUNCTION", 0, 0, false, SORT_FUNCTION, WHEN_ALWAYS, draw_function},
    {"FILE:LINE", 22, 60, false, SORT_LINE, WHEN_LINES, draw_line},
    {"MODULE", 15, 80, false, SORT_MODULE, WHEN_SHORT, draw_module},
    {"MODULE", 34, 80, false, SORT_COUNT, WHEN_VERBOSE, draw_module},
};

static const struct table table = {columns, ARRAY_LENGTH(columns), NULL, draw_second};

static const struct column delay_columns[] = {
    {"SELF%", 6, 0, true, SORT_SELF, WHEN_ALWAYS, draw_self},
    {"TOTAL%", 6, 50, true, SORT_TOTAL, WHEN_ALWAYS, draw_total},
    {"DELAY", 7, 60, true, SORT_DELAY, WHEN_ALWAYS, draw_delay},
    {"WAITS", 7, 60, true, SORT_SAMPLES, WHEN_ALWAYS, draw_waits},
    {"SELF", 7, 60, true, SORT_SELF_TIME, WHEN_SORTED, draw_self_time},
    {"TOTAL", 7, 60, true, SORT_TOTAL_TIME, WHEN_SORTED, draw_total_time},
    {"TREND", TREND_LENGTH, 120, false, SORT_COUNT, WHEN_ALWAYS, draw_trend},
    {"THR", 4, 60, true, SORT_THREADS, WHEN_SORTED, draw_threads},
    {"FUNCTION", 0, 0, false, SORT_FUNCTION, WHEN_ALWAYS, draw_function},
    {"FILE:LINE", 22, 60, false, SORT_LINE, WHEN_LINES, draw_line},
    {"WAIT, LOCK", 20, 100, false, SORT_COUNT, WHEN_ALWAYS, draw_wait},
    {"MODULE", 15, 80, false, SORT_MODULE, WHEN_SHORT, draw_module},
    {"MODULE", 34, 80, false, SORT_COUNT, WHEN_VERBOSE, draw_module},
};

static const struct table delay_table = {delay_columns, ARRAY_LENGTH(delay_columns), NULL,
                                         draw_second};

static const struct column file_columns[] = {
    {"SELF%", 7, 0, true, SORT_SELF, WHEN_ALWAYS, draw_self},
    {"TOTAL%", 7, 0, true, SORT_TOTAL, WHEN_ALWAYS, draw_total},
    {"RUN%", 6, 60, true, SORT_COUNT, WHEN_WALL, draw_running},
    {"SELF", 8, 60, true, SORT_SELF_TIME, WHEN_ALWAYS, draw_self_time},
    {"TOTAL", 8, 60, true, SORT_TOTAL_TIME, WHEN_ALWAYS, draw_total_time},
    {"OLD", 8, 100, true, SORT_COUNT, WHEN_PAIR, draw_old},
    {"NEW", 8, 100, true, SORT_COUNT, WHEN_PAIR, draw_new},
    {"COUNT", 8, 60, true, SORT_SAMPLES, WHEN_SORTED, draw_samples},
    {"THR", 4, 60, true, SORT_THREADS, WHEN_SORTED, draw_threads},
    {"FUNCTION", 0, 0, false, SORT_FUNCTION, WHEN_ALWAYS, draw_function},
    {"FILE:LINE", 22, 60, false, SORT_LINE, WHEN_LINES, draw_line},
    {"WAIT, LOCK", 20, 120, false, SORT_COUNT, WHEN_DELAY, draw_wait},
    {"MODULE", 15, 80, false, SORT_MODULE, WHEN_SHORT, draw_module},
    {"MODULE", 34, 80, false, SORT_COUNT, WHEN_VERBOSE, draw_module},
};

static const struct table file_table = {file_columns, ARRAY_LENGTH(file_columns), NULL,
                                        draw_second};

// --- the rows ---

static enum rc make(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err)
{
    (void)state;
    struct function_rows *rows = scene->rows;
    enum rc rc = rows_functions(&scene->snapshot->moment, query, rows, err);
    scene->count = rows->count;
    scene->all = rows->all;
    return rc;
}

static void free_rows(void *rows)
{
    function_rows_fini(rows);
}

static struct item item(const struct scene *scene, size_t row)
{
    const struct function_row *at = &rows_of(scene)->rows[row];
    return (struct item){scene_item_id(at->id), at->function->name, at->function, 0};
}

// What is waited for stands in the message line too, because only wide screens have the column.
static void put_note(const struct scene *scene, const struct state *state, struct buf *out)
{
    size_t at = state->cursors[scene->view].at;
    const struct function_row *row = at < scene->count ? &rows_of(scene)->rows[at] : NULL;
    if (!row || !*row->wait)
        return;
    buf_puts(out, filter_kind(&state->query.filter) == PROFILE_MUTEX ? "   lock: "
                                                                     : "   waits for: ");
    put_wait(row, state, out);
}

const struct view view_top = {
    .title = "Top",
    .sort = SORT_SELF,
    .rows = {sizeof(struct function_rows), make, free_rows, item, NULL, NULL},
    .table = &table,
    .delay_table = &delay_table,
    .file_table = &file_table,
    .put_note = put_note,
    .action = ACTION_VIEW_TOP,
};
