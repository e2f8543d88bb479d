// SPDX-License-Identifier: MIT
// Callers and callees of a function.
#include "rows/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "rows/selection.h"

#define NONE UINT32_MAX

struct side { // callers, or callees
    struct cost *costs; // [function; the last one stands for none]
    uint32_t *seen;     // [function]: the last stack that counted it
};

struct call_tally {
    const struct moment *moment;
    uint32_t function, count; // of functions
    bool *has;                // [node]: the function is in this stack
    struct side callers, callees;
    uint32_t stacks;
};

static struct name_span frames_of(const struct moment *moment, uint32_t node)
{
    return names_frames(moment->names, moment->profile->stacks.nodes[node].location);
}

static void find_stacks(struct call_tally *tally)
{
    const struct plain_stacks *stacks = &tally->moment->profile->stacks;
    for (uint32_t node = 1; node < stacks->count; node++) {
        struct name_span span = frames_of(tally->moment, node);
        tally->has[node] = tally->has[stacks->nodes[node].parent];
        for (size_t i = 0; i < span.count && !tally->has[node]; i++)
            tally->has[node] = span.frames[i].function == tally->function;
    }
}

static void count(struct call_tally *tally, struct side *side, uint32_t function, struct cost cost)
{
    if (function == tally->function || side->seen[function] == tally->stacks)
        return;
    side->seen[function] = tally->stacks;
    cost_add(&side->costs[function], cost);
}

// The walk goes from the leaf to the root; `below` is what the function at hand calls.
static void walk(struct call_tally *tally, uint32_t stack, struct cost cost)
{
    const struct plain_node *nodes = tally->moment->profile->stacks.nodes;
    uint32_t below = tally->count; // none
    tally->stacks++;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        struct name_span span = frames_of(tally->moment, at);
        for (size_t i = 0; i < span.count; i++) {
            uint32_t here = span.frames[i].function;
            if (here == tally->function)
                count(tally, &tally->callees, below, cost);
            if (below == tally->function)
                count(tally, &tally->callers, here, cost);
            below = here;
        }
    }
    if (below == tally->function)
        count(tally, &tally->callers, tally->count, cost);
}

static int compare_calls(const void *left, const void *right, void *context)
{
    const struct call_row *a = left, *b = right;
    const enum rows_measure *measure = context;
    int64_t a_cost = sums_rank(a->cost, *measure), b_cost = sums_rank(b->cost, *measure);
    if (a_cost != b_cost)
        return a_cost > b_cost ? -1 : 1;
    if (!a->function || !b->function)
        return !a->function - !b->function;
    int names = strcmp(a->function->name, b->function->name);
    return names ? names : strcmp(a->function->module, b->function->module);
}

static struct call_row *rows_of(const struct call_tally *tally, const struct side *side,
                                enum rows_measure measure, size_t *rows)
{
    struct call_row *list = xcalloc(tally->count + 1, sizeof *list);
    *rows = 0;
    for (uint32_t i = 0; i <= tally->count; i++) {
        const struct function *function =
            i < tally->count ? names_function(tally->moment->names, i) : NULL;
        if (!cost_is_any(side->costs[i]))
            continue;
        list[(*rows)++] =
            (struct call_row){function, function ? function->id : 0, side->costs[i]};
    }
    qsort_r(list, *rows, sizeof *list, compare_calls, &measure);
    return list;
}

static void tally_calls(const struct moment *moment, const struct selection *selection,
                        const struct rows_query *query, uint32_t function, struct call_rows *rows)
{
    size_t size = names_function_count(moment->names) + 1;
    struct call_tally tally = {
        .moment = moment,
        .function = function,
        .count = (uint32_t)size - 1,
        .has = xcalloc(moment->profile->stacks.count, sizeof *tally.has),
        .callers = {xcalloc(size, sizeof(struct cost)), xcalloc(size, sizeof(uint32_t))},
        .callees = {xcalloc(size, sizeof(struct cost)), xcalloc(size, sizeof(uint32_t))},
    };
    enum rows_measure measure = rows_measure(query);
    struct sums sums;
    sums_init(&sums, selection, rows_span(query));
    find_stacks(&tally);
    for (uint32_t node = 1; node < sums.count; node++)
        if (tally.has[node] && cost_is_any(sums.nodes[node]))
            walk(&tally, node, sums.nodes[node]);
    rows->callers = rows_of(&tally, &tally.callers, measure, &rows->caller_count);
    rows->callees = rows_of(&tally, &tally.callees, measure, &rows->callee_count);
    rows->all = selection_whole(selection, sums.all);
    sums_fini(&sums);
    free(tally.has);
    free(tally.callers.costs);
    free(tally.callers.seen);
    free(tally.callees.costs);
    free(tally.callees.seen);
}

enum rc rows_calls(const struct moment *moment, const struct rows_query *query, uint64_t function,
                   struct call_rows *rows, struct err *err)
{
    struct function_rows functions;
    struct selection *selection;
    *rows = (struct call_rows){0};
    enum rc rc = rows_functions(moment, query, &functions, err);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < functions.count; i++)
        if (functions.rows[i].id == function)
            rows->function = functions.rows[i];
    function_rows_fini(&functions);
    if (!rows->function.function)
        return err_set(err, RC_GONE, "the function is in no stack that is shown");
    rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    tally_calls(moment, selection, query, names_find(moment->names, function), rows);
    selection_free(selection);
    return RC_OK;
}

void call_rows_fini(struct call_rows *rows)
{
    free(rows->callers);
    free(rows->callees);
    *rows = (struct call_rows){0};
}
