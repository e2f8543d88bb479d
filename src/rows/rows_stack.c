// SPDX-License-Identifier: MIT
// The stacks of one thread.
#include "rows/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "rows/selection.h"

// Says whether the sample shows where that thread was seen on a CPU.
static bool is_running(const struct moment *moment, uint32_t sample, pid_t tid)
{
    const struct plain_threads *sampled = &moment->sampled;
    struct plain_whose whose = sampled->of[moment->profile->samples.list[sample].labels];
    return whose.state == STATE_CPU && sampled->list[whose.thread].tid == tid;
}

// Returns the stack that the thread has most of in the newest slice in which it has any.
static uint32_t newest_stack(const struct moment *moment, pid_t tid)
{
    size_t kept = moment->slices ? slices_count(moment->slices) : 0;
    for (size_t back = 0; back < kept; back++) {
        struct slice slice = slices_get(moment->slices, back);
        const struct slice_entry *best = NULL;
        for (size_t i = 0; i < slice.count; i++) {
            const struct slice_entry *entry = &slice.entries[i];
            if (is_running(moment, entry->value, tid) &&
                entry->samples > (best ? best->samples : 0))
                best = entry;
        }
        if (best)
            return moment->profile->samples.list[best->value].stack;
    }
    return 0;
}

static void copy_asleep(const struct moment *moment, struct stack_rows *rows)
{
    rows->wait = "";
    for (size_t i = 0; i < moment->thread_count; i++)
        if (moment->threads[i].tid == moment->asleep_tid)
            rows->wait = moment->threads[i].wait;
    rows->stacks = 1;
    rows->count = moment->asleep_count;
    rows->rows = xcalloc(rows->count, sizeof *rows->rows);
    memcpy(rows->rows, moment->asleep, rows->count * sizeof *rows->rows);
    for (size_t i = 0; i < rows->count; i++)
        rows->rows[i].depth = (uint32_t)i;
}

static void add_stack(const struct moment *moment, uint32_t stack, double share,
                      struct stack_rows *rows, size_t *capacity)
{
    const struct plain_node *nodes = moment->profile->stacks.nodes;
    uint32_t depth = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        struct name_span span = names_frames(moment->names, nodes[at].location);
        for (size_t i = 0; i < span.count; i++) {
            const struct name_frame *frame = &span.frames[i];
            ARRAY_RESERVE(rows->rows, rows->count, *capacity);
            rows->rows[rows->count++] = (struct stack_row){
                .function = names_function(moment->names, frame->function),
                .inlined = frame->inlined,
                .file = frame->file,
                .line = frame->line,
                .offset = frame->offset,
                .depth = depth,
                .share = depth ? 0 : share,
            };
            depth++;
        }
    }
    rows->stacks++;
}

// --- those of a window ---

struct weighed_stack {
    uint32_t stack;
    struct cost cost;
};

struct weighing {
    struct weighed_stack *list;
    size_t count, capacity;
    struct map index; // stack -> index
    struct cost all;
    enum rows_measure measure;
};

static void weigh(void *context, const struct pick *pick)
{
    struct weighing *weighing = context;
    uint32_t at = map_get(&weighing->index, pick->stack, UINT32_MAX);
    cost_add(&weighing->all, pick->cost);
    if (at == UINT32_MAX) {
        ARRAY_RESERVE(weighing->list, weighing->count, weighing->capacity);
        at = (uint32_t)weighing->count++;
        weighing->list[at] = (struct weighed_stack){.stack = pick->stack};
        map_put(&weighing->index, pick->stack, at);
    }
    cost_add(&weighing->list[at].cost, pick->cost);
}

static int compare_weighed(const void *left, const void *right, void *context)
{
    const struct weighed_stack *a = left, *b = right;
    const struct weighing *weighing = context;
    int64_t a_cost = sums_rank(a->cost, weighing->measure);
    int64_t b_cost = sums_rank(b->cost, weighing->measure);
    if (a_cost != b_cost)
        return a_cost > b_cost ? -1 : 1;
    return (a->stack > b->stack) - (a->stack < b->stack);
}

static void add_window(const struct moment *moment, const struct rows_query *query, pid_t tid,
                       struct stack_rows *rows, size_t *capacity)
{
    struct selection *selection;
    struct filter filter = query->filter;
    struct weighing weighing = {.measure = rows_measure(query)};
    filter.tid = tid;
    filter.thread = filter.module = filter.terms = NULL;
    if (selection_new(moment, &filter, &selection, NULL) != RC_OK)
        return; // never: there are no terms
    selection_each(selection, rows_span(query), weigh, &weighing);
    if (weighing.count)
        qsort_r(weighing.list, weighing.count, sizeof *weighing.list, compare_weighed, &weighing);
    weighing.all = selection_whole(selection, weighing.all);
    for (size_t i = 0; i < weighing.count && rows->stacks < STACKS_SHOWN; i++) {
        const struct weighed_stack *weighed = &weighing.list[i];
        double share = rows_percent(weighing.measure, weighed->cost, weighing.all);
        if (weighed->stack && share)
            add_stack(moment, weighed->stack, share, rows, capacity);
    }
    rows->windowed = rows->stacks > 0;
    rows->all = weighing.all;
    free(weighing.list);
    map_fini(&weighing.index);
    selection_free(selection);
}

void rows_stack(const struct moment *moment, const struct rows_query *query, pid_t tid,
                struct stack_rows *rows)
{
    size_t capacity = 0;
    *rows = (struct stack_rows){0};
    if (moment->asleep_count && moment->asleep_tid == tid) {
        copy_asleep(moment, rows);
        return;
    }
    add_window(moment, query, tid, rows, &capacity);
    if (!rows->stacks)
        add_stack(moment, newest_stack(moment, tid), 0, rows, &capacity);
}

void stack_rows_fini(struct stack_rows *rows)
{
    free(rows->rows);
    *rows = (struct stack_rows){0};
}
