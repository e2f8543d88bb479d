// SPDX-License-Identifier: MIT
// Threads: what they use, and what those that do not run wait for.
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/table.h"

static const struct thread_row *row_of(const struct slot *slot)
{
    return &slot->scene->threads.rows[slot->index];
}

static void draw_tid(const struct slot *slot)
{
    const struct thread_row *row = row_of(slot);
    char text[LABEL_MOST];
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
    if (!slot->scene->threads.cpu_known) {
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
    char text[LABEL_MOST];
    struct cost cost = row_of(slot)->cost;
    slot_number(slot, ROLE_DEFAULT,
                label_percent(query_percent(cost.queued_ns, cost_ns(cost)), text));
}

static void draw_samples(const struct slot *slot)
{
    char text[LABEL_MOST];
    snprintf(text, sizeof text, "%" PRIu64, row_of(slot)->cost.samples);
    slot_number(slot, ROLE_DEFAULT, row_of(slot)->cost.samples ? text : "");
}

static void draw_held(const struct slot *slot)
{
    char text[LABEL_MOST];
    int64_t held = row_of(slot)->held_ns;
    slot_number(slot, ROLE_DIM, held ? label_hold(held, text) : "");
}

// Why it does not run, which tells who is in its way; else where it runs.
static void put_where(const struct slot *slot, struct buf *out)
{
    const struct thread_row *row = row_of(slot);
    if (row->ended)
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

static void draw_second(const struct slot *slot)
{
    draw_where(slot);
}

static const struct column columns[] = {
    {"TID", 8, 50, true, SORT_TID, NULL, draw_tid},
    {"NAME", 15, 0, false, SORT_FUNCTION, NULL, draw_name},
    {"S", 2, 0, false, SORT_STATE, NULL, draw_state},
    {"CPU%", 6, 0, true, SORT_CPU, NULL, draw_cpu},
    {"RUN%", 6, 70, true, SORT_COUNT, table_shows_wall, draw_running},
    {"QUEUE%", 6, 70, true, SORT_COUNT, table_shows_wall, draw_queued},
    {"SAMPLES", 8, 80, true, SORT_SAMPLES, NULL, draw_samples},
    {"HELD", 7, 70, true, SORT_HELD, NULL, draw_held},
    {"WHERE", 0, 50, false, SORT_COUNT, NULL, draw_where},
};

void view_threads_draw(struct picture *picture, struct box area, const struct scene *scene,
                       struct state *state)
{
    static const struct table table = {columns, ARRAY_LENGTH(columns), "no threads", draw_second};
    table_draw(picture, area, scene, state, &table);
}
