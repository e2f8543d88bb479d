// SPDX-License-Identifier: MIT
// This view shows the stack in which a thread sleeps, or the stacks of its samples.
#include <inttypes.h>
#include <stdio.h>

#include "base/mem.h"
#include "tui/label.h"
#include "tui/view.h"

static const struct stack_rows *rows_of(const struct scene *scene)
{
    return scene->rows;
}

static const struct stack_row *frame_of(const struct slot *slot)
{
    return &rows_of(slot->scene)->rows[slot->index];
}

static void draw_number(const struct slot *slot)
{
    char text[FIGURES_MOST];
    snprintf(text, sizeof text, "#%" PRIu32, frame_of(slot)->depth);
    slot_number(slot, ROLE_DIM, text);
}

static void draw_share(const struct slot *slot)
{
    slot_percent(slot, frame_of(slot)->share);
}

static void draw_frame(const struct slot *slot)
{
    const struct stack_row *frame = frame_of(slot);
    slot_function(slot, 0, frame->depth ? ROLE_DEFAULT : ROLE_STRONG, frame->function,
                  frame->inlined);
}

static void draw_line(const struct slot *slot)
{
    slot_line(slot, frame_of(slot)->file, frame_of(slot)->line);
}

static void draw_offset(const struct slot *slot)
{
    char text[FIGURES_MOST];
    snprintf(text, sizeof text, "0x%" PRIx64, frame_of(slot)->offset);
    slot_number(slot, ROLE_DIM, text);
}

static void draw_module(const struct slot *slot)
{
    slot_module(slot, frame_of(slot)->function);
}

static const struct column columns[] = {
    {"SHARE%", 6, 50, true, SORT_COUNT, WHEN_WINDOWED, draw_share},
    {"#", 4, 0, true, SORT_COUNT, WHEN_ALWAYS, draw_number},
    {"FUNCTION, LEAF FIRST", 0, 0, false, SORT_COUNT, WHEN_ALWAYS, draw_frame},
    {"FILE:LINE", 22, 60, false, SORT_COUNT, WHEN_ALWAYS, draw_line},
    {"OFFSET", 12, 80, true, SORT_COUNT, WHEN_VERBOSE, draw_offset},
    {"MODULE", 15, 50, false, SORT_COUNT, WHEN_ALWAYS, draw_module},
};

static const struct table table = {columns, ARRAY_LENGTH(columns),
                                   "the thread was not seen on a CPU lately", NULL};
static const struct table file_table = {columns, ARRAY_LENGTH(columns),
                                        "the thread has nothing of this type", NULL};

static void put_note(const struct scene *scene, const struct state *state, struct buf *out)
{
    const struct stack_rows *rows = rows_of(scene);
    int tid = (int)state->stack_tid;
    if (state->file.subject != SUBJECT_RUN)
        buf_printf(out, "   of thread %d: %zu stack%s", tid, rows->stacks,
                   rows->stacks == 1 ? "" : "s");
    else if (rows->wait)
        buf_printf(out, "   of thread %d now: %s", tid, *rows->wait ? rows->wait : "it sleeps");
    else if (rows->windowed)
        buf_printf(out, "   of thread %d: %zu stack%s in window %s", tid, rows->stacks,
                   rows->stacks == 1 ? "" : "s", rows_window_names[state->query.window]);
    else if (rows->count)
        buf_printf(out, "   of thread %d, when it was last seen on a CPU", tid);
}

// --- the rows ---

static enum rc make(struct scene *scene, struct state *state, const struct rows_query *query,
                    struct err *err)
{
    (void)err;
    struct stack_rows *rows = scene->rows;
    rows_stack(&scene->snapshot->moment, query, state->stack_tid, rows);
    scene->count = rows->count;
    scene->all = rows->all;
    scene->windowed = rows->windowed;
    return RC_OK;
}

static void free_rows(void *rows)
{
    stack_rows_fini(rows);
}

static struct item item(const struct scene *scene, size_t row)
{
    const struct function *function = rows_of(scene)->rows[row].function;
    return (struct item){row + 1, function->name, function, 0};
}

// --- opening it ---

// Finds the thread that used most CPU time in the window; 0: there is none.
static pid_t busiest(const struct app *app)
{
    bool run = app->state->file.subject == SUBJECT_RUN;
    struct rows_query query = {
        .window = app->state->query.window,
        .sort = run ? SORT_CPU : SORT_DELAY,
        .filter = {.value = app->state->query.filter.value},
    };
    struct thread_rows threads = {0};
    pid_t tid = 0;
    if (rows_threads(&app->scene->snapshot->moment, &query, &threads, NULL) == RC_OK &&
        threads.count)
        tid = threads.rows[0].tid;
    thread_rows_fini(&threads);
    return tid;
}

// Shows the thread of the row, or else that of the thread filter.
static unsigned open_stack(struct app *app)
{
    struct state *state = app->state;
    pid_t tid = act_item(app).tid;
    if (!tid)
        tid = state->query.filter.tid;
    if (!tid)
        tid = busiest(app);
    if (!tid) {
        state_say(state, true, "there is no thread");
        return 0;
    }
    state->stack_tid = tid;
    state->cursors[VIEW_STACK] = (struct cursor){0};
    return act_show(app, VIEW_STACK);
}

const struct view view_stack = {
    .title = "stack",
    .pane = true,
    .wants_stack = true,
    .rows = {sizeof(struct stack_rows), make, free_rows, item, NULL, NULL},
    .table = &table,
    .file_table = &file_table,
    .put_note = put_note,
    .action = ACTION_STACKS,
    .open = open_stack,
};
