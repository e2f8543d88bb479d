// SPDX-License-Identifier: MIT
// This view shows the CPU time of threads, and what those that do not run wait for.
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

static const struct thread_rows *rows_of(const struct scene *scene)
{
    return scene->rows;
}

static const struct thread_row *row_of(const struct slot *slot)
{
    return &rows_of(slot->scene)->rows[slot->index];
}

static void draw_tid(const struct slot *slot)
{
    const struct thread_row *row = row_of(slot);
    char text[FIGURES_MOST];
    snprintf(text, sizeof text, row->count > 1 ? "x%" PRIu32 : "%" PRIu32,
             row->count > 1 ? row->count : (uint32_t)row->tid);
    slot_number(slot, ROLE_DEFAULT, text);
}

static void draw_name(const struct slot *slot)
{
    slot_text(slot, row_of(slot)->ended ? ROLE_COLD : ROLE_STRONG, row_of(slot)->name);
}

static enum role role_of_state(char state)
{
    return state == 'R' ? ROLE_GOOD : state == 'D' ? ROLE_WARN : ROLE_DIM;
}

static void draw_state(const struct slot *slot)
{
    const struct thread_row *row = row_of(slot);
    char text[2] = {row->ended ? '-' : row->state, '\0'};
    slot_text(slot, role_of_state(row->state), text);
}

static void draw_cpu(const struct slot *slot)
{
    if (!rows_of(slot->scene)->cpu_known) {
        slot_number(slot, ROLE_DIM, "-");
        return;
    }
    slot_percent(slot, row_of(slot)->cpu_percent);
}

static void draw_running(const struct slot *slot)
{
    slot_running(slot, row_of(slot)->cost);
}

static void draw_queued(const struct slot *slot)
{
    char text[FIGURES_MOST];
    struct cost cost = row_of(slot)->cost;
    slot_number(slot, ROLE_DEFAULT,
                label_percent(figures_percent(cost.queued_ns, cost_ns(cost)), text));
}

static void draw_samples(const struct slot *slot)
{
    char text[FIGURES_MOST];
    snprintf(text, sizeof text, "%" PRId64, row_of(slot)->cost.samples);
    slot_number(slot, ROLE_DEFAULT, row_of(slot)->cost.samples ? text : "");
}

static void draw_delay(const struct slot *slot)
{
    char text[FIGURES_MOST];
    int64_t delay = cost_ns(row_of(slot)->cost);
    slot_number(slot, ROLE_DEFAULT, delay ? figures_three(delay, text) : "");
}

static void draw_held(const struct slot *slot)
{
    char text[FIGURES_MOST];
    int64_t held = row_of(slot)->held_ns;
    slot_number(slot, ROLE_DIM, held ? label_hold(held, text) : "");
}

// The column says why a thread does not run (and which thread it waits for), or in which function
// it runs.
static void put_where(const struct slot *slot, struct buf *out)
{
    const struct thread_row *row = row_of(slot);
    if (row->ended && row->tid) // else it is an entry of our own, such as [holder not seen]
        buf_puts(out, "ended");
    else if (row->state != 'R' && *row->wait)
        buf_puts(out, row->wait);
    else if (row->where)
        label_function_within(slot->state, &slot->picture->canvas, slot->width, row->where, false,
                              out);
}

static void draw_where(const struct slot *slot)
{
    const struct thread_row *row = row_of(slot);
    AUTO_BUF struct buf text = {0};
    put_where(slot, &text);
    bool runs = !row->ended && (row->state == 'R' || !*row->wait);
    if (text.length)
        slot_name(slot, 0, row->owner ? ROLE_WARN : runs ? ROLE_DEFAULT : ROLE_DIM, text.data);
}

static const struct column columns[] = {
    {"TID", 8, 50, true, SORT_TID, WHEN_ALWAYS, draw_tid},
    {"NAME", 15, 0, false, SORT_FUNCTION, WHEN_ALWAYS, draw_name},
    {"S", 2, 0, false, SORT_STATE, WHEN_ALWAYS, draw_state},
    {"CPU%", 6, 0, true, SORT_CPU, WHEN_ALWAYS, draw_cpu},
    {"RUN%", 6, 70, true, SORT_COUNT, WHEN_WALL, draw_running},
    {"QUEUE%", 6, 70, true, SORT_COUNT, WHEN_WALL, draw_queued},
    {"SAMPLES", 8, 80, true, SORT_SAMPLES, WHEN_ALWAYS, draw_samples},
    {"HELD", 7, 70, true, SORT_HELD, WHEN_ALWAYS, draw_held},
    {"WHERE", 0, 50, false, SORT_COUNT, WHEN_ALWAYS, draw_where},
};

static const struct table table = {columns, ARRAY_LENGTH(columns), "no threads", draw_where};

// --- of a file ---

static void draw_id(const struct slot *slot)
{
    if (row_of(slot)->tid || row_of(slot)->count > 1)
        draw_tid(slot);
}

static void draw_value_name(const struct slot *slot)
{
    const char *name = row_of(slot)->name;
    slot_text(slot, *name ? ROLE_STRONG : ROLE_DIM, *name ? name : "(none)");
}

static void draw_share(const struct slot *slot)
{
    slot_percent(slot, rows_percent(MEASURE_TIME, row_of(slot)->cost, rows_of(slot->scene)->all));
}

static void draw_value(const struct slot *slot)
{
    slot_value(slot, cost_ns(row_of(slot)->cost));
}

static void draw_function(const struct slot *slot)
{
    if (row_of(slot)->where)
        slot_function(slot, 0, ROLE_DEFAULT, row_of(slot)->where, false);
}

static const struct column file_columns[] = {
    {"TOTAL%", 7, 0, true, SORT_DELAY, WHEN_ALWAYS, draw_share},
    {"TOTAL", 8, 50, true, SORT_COUNT, WHEN_ALWAYS, draw_value},
    {"RUN%", 6, 70, true, SORT_COUNT, WHEN_WALL, draw_running},
    {"QUEUE%", 6, 70, true, SORT_COUNT, WHEN_WALL, draw_queued},
    {"COUNT", 8, 80, true, SORT_SAMPLES, WHEN_ALWAYS, draw_samples},
    {"TID", 8, 60, true, SORT_TID, WHEN_ALWAYS, draw_id},
    {"THREAD OR LABEL", 24, 0, false, SORT_FUNCTION, WHEN_ALWAYS, draw_value_name},
    {"MOSTLY IN", 0, 50, false, SORT_COUNT, WHEN_ALWAYS, draw_function},
};

static const struct table file_table = {file_columns, ARRAY_LENGTH(file_columns), "no samples",
                                        draw_function};

static const struct column delay_columns[] = {
    {"TID", 8, 50, true, SORT_TID, WHEN_ALWAYS, draw_tid},
    {"NAME", 15, 0, false, SORT_FUNCTION, WHEN_ALWAYS, draw_name},
    {"S", 2, 0, false, SORT_STATE, WHEN_ALWAYS, draw_state},
    {"CPU%", 6, 0, true, SORT_CPU, WHEN_ALWAYS, draw_cpu},
    {"DELAY", 7, 0, true, SORT_DELAY, WHEN_ALWAYS, draw_delay},
    {"WAITS", 7, 60, true, SORT_SAMPLES, WHEN_ALWAYS, draw_samples},
    {"HELD", 7, 80, true, SORT_HELD, WHEN_ALWAYS, draw_held},
    {"WHERE", 0, 50, false, SORT_COUNT, WHEN_ALWAYS, draw_where},
};

static const struct table delay_table = {delay_columns, ARRAY_LENGTH(delay_columns), "no threads",
                                         draw_where};

// --- the rows ---

static enum rc make(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err)
{
    (void)state;
    struct thread_rows *rows = scene->rows;
    enum rc rc = rows_threads(&scene->snapshot->moment, query, rows, err);
    scene->count = rows->count;
    scene->all = rows->all;
    return rc;
}

static void free_rows(void *rows)
{
    thread_rows_fini(rows);
}

static struct item item(const struct scene *scene, size_t row)
{
    const struct thread_row *at = &rows_of(scene)->rows[row];
    uint64_t id = at->tid ? (uint64_t)at->tid : map_hash_text(at->name);
    return (struct item){scene_item_id(id), at->name, at->where, at->tid};
}

static void put_note(const struct scene *scene, const struct state *state, struct buf *out)
{
    (void)scene;
    if (state->file.label)
        buf_printf(out, "   label %s; L: another one", state->file.label);
}

// --- keys ---

static unsigned show_only(struct app *app)
{
    const struct thread_row *row =
        act_has_rows(app) ? &rows_of(app->scene)->rows[act_cursor(app)->at] : NULL;
    if (!row || !act_only_thread(app, row))
        return 0;
    return act_show(app, VIEW_TOP);
}

static const struct view_key keys[] = {{ACTION_ENTER, {.act = show_only}}};

const struct view view_threads = {
    .title = "Threads",
    .wants_waits = true,
    .sort = SORT_CPU,
    .rows = {sizeof(struct thread_rows), make, free_rows, item, NULL, NULL},
    .table = &table,
    .delay_table = &delay_table,
    .file_table = &file_table,
    .put_note = put_note,
    .action = ACTION_VIEW_THREADS,
    .keys = keys,
    .key_count = ARRAY_LENGTH(keys),
};
