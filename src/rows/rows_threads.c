// SPDX-License-Identifier: MIT
#include "rows/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "rows/selection.h"

#define NONE UINT32_MAX

struct thread_tally {
    const struct moment *moment;
    const struct rows_query *query;
    struct thread_row *rows;
    size_t count, capacity;
    uint32_t *row_of; // [thread of the profile]: row
    struct map tids;  // of facts: tid -> row
    struct cost all;
    struct map stacks; // row << 32 | node -> its number
    uint64_t *weights; // [number]: samples; of wall time: milliseconds; of a file: the value
    size_t weight_capacity;
};

static uint32_t add_row(struct thread_tally *tally, const struct thread_row *row)
{
    ARRAY_RESERVE(tally->rows, tally->count, tally->capacity);
    tally->rows[tally->count] = *row;
    return (uint32_t)tally->count++;
}

static void add_fact(struct thread_tally *tally, const struct thread_fact *fact)
{
    uint32_t row = add_row(tally, &(struct thread_row){
        .pid = fact->pid,
        .tid = fact->tid,
        .count = 1,
        .name = fact->comm,
        .state = fact->state,
        .held_ns = fact->held_ns,
        .wait = fact->wait,
        .owner = fact->owner,
    });
    map_put(&tally->tids, (uint64_t)fact->tid, row);
}

// The newest thread of a tid is the one that lives.
static void add_profiled(struct thread_tally *tally, uint32_t number)
{
    const struct moment *moment = tally->moment;
    const struct plain_thread *thread = &moment->sampled.list[number];
    uint32_t row = thread->tid ? map_get(&tally->tids, (uint64_t)thread->tid, NONE) : NONE;
    if (row == NONE || tally->rows[row].pid != thread->pid)
        row = add_row(tally, &(struct thread_row){
            .pid = thread->pid,
            .tid = thread->tid,
            .count = 1,
            .name = plain_string(moment->profile, thread->name),
            .state = '?',
            .ended = true,
            .wait = "",
        });
    else
        map_put(&tally->tids, (uint64_t)thread->tid, NONE);
    tally->rows[row].held_ns += thread->held_ns;
    tally->row_of[number] = row;
}

static void list_all(struct thread_tally *tally)
{
    const struct moment *moment = tally->moment;
    size_t count = moment->sampled.count;
    tally->row_of = xcalloc(count + 1, sizeof *tally->row_of);
    for (size_t i = 0; i < moment->thread_count; i++)
        add_fact(tally, &moment->threads[i]);
    for (uint32_t i = (uint32_t)count; i-- > 0;)
        add_profiled(tally, i);
}

// --- costs ---

static uint64_t weight_of(const struct filter *filter, struct cost cost)
{
    return (uint64_t)(filter->value  ? cost.size
                      : filter->type ? cost_ns(cost) / NS_PER_MS
                                     : cost.samples);
}

static void weigh(struct thread_tally *tally, uint32_t row, const struct pick *pick)
{
    uint32_t count = (uint32_t)tally->stacks.count;
    uint32_t number = map_number(&tally->stacks, (uint64_t)row << 32 | pick->stack);
    if (number == count) {
        ARRAY_RESERVE(tally->weights, count, tally->weight_capacity);
        tally->weights[number] = 0;
    }
    tally->weights[number] += weight_of(&tally->query->filter, pick->cost);
}

static void count_window(void *context, const struct pick *pick)
{
    struct thread_tally *tally = context;
    uint32_t row = tally->row_of[pick->thread];
    cost_add(&tally->rows[row].cost, pick->cost);
    cost_add(&tally->all, pick->cost);
    if (pick->stack)
        weigh(tally, row, pick);
}

static void count_all(void *context, const struct pick *pick)
{
    struct thread_tally *tally = context;
    cost_add(&tally->rows[tally->row_of[pick->thread]].cost_all, pick->cost);
}

// Returns the first function that is not in the kernel, from the leaf on.
static const struct function *user_function(const struct moment *moment, uint32_t node)
{
    const struct plain_node *nodes = moment->profile->stacks.nodes;
    for (; node; node = nodes[node].parent) {
        struct name_span span = names_frames(moment->names, nodes[node].location);
        const struct function *function = names_function(moment->names, span.frames->function);
        if (strcmp(function->module, "[kernel]") != 0)
            return function;
    }
    return NULL;
}

struct hottest {
    uint32_t stack;
    uint64_t weight;
};

static void find_where(struct thread_tally *tally)
{
    AUTO_FREE struct hottest *hottest = xcalloc(tally->count + 1, sizeof *hottest);
    for (size_t i = 0; i < tally->stacks.capacity; i++) {
        const struct map_slot *slot = &tally->stacks.slots[i];
        struct hottest *best = &hottest[slot->key >> 32];
        uint32_t stack = (uint32_t)slot->key;
        uint64_t weight = slot->used ? tally->weights[slot->value] : 0;
        if (!slot->used || weight < best->weight ||
            (weight == best->weight && best->stack && stack > best->stack))
            continue;
        *best = (struct hottest){stack, weight};
    }
    for (size_t i = 0; i < tally->count; i++)
        tally->rows[i].where = user_function(tally->moment, hottest[i].stack);
}

// Returns what of the span there are slices of.
static struct rows_span kept_span(const struct moment *moment, struct rows_span span)
{
    size_t kept = moment->slices ? slices_count(moment->slices) : 0;
    size_t most = kept > span.skip ? kept - span.skip : 0;
    span.seconds = span.seconds < most ? span.seconds : most;
    return span;
}

struct usage { // CPU time of a thread that the filter lets through
    struct thread_tally *tally;
    const struct selection *selection;
    double per_ns; // percent
};

static void add_usage(const struct usage *usage, uint32_t sample, uint64_t ns)
{
    struct pick pick = selection_pick(usage->selection, sample);
    struct thread_row *row = &usage->tally->rows[usage->tally->row_of[pick.thread]];
    if (pick.state == STATE_CPU && selection_takes_stack(usage->selection, &pick))
        row->cpu_percent += usage->per_ns * (double)ns;
}

static bool count_cpu_of_all(const struct usage *usage)
{
    const struct plain_profile *profile = usage->tally->moment->profile;
    struct measure cpu;
    if (!measure_named(profile, "cpu", &cpu))
        return false;
    for (uint32_t i = 0; i < profile->samples.count; i++)
        add_usage(usage, i, measure_cost(&cpu, i).cpu_ns);
    return true;
}

static bool count_cpu_of_slices(const struct usage *usage, struct rows_span span)
{
    const struct moment *moment = usage->tally->moment;
    for (size_t back = span.skip; back < span.skip + span.seconds; back++) {
        struct slice slice = slices_get(moment->slices, back);
        for (size_t i = 0; i < slice.count; i++)
            add_usage(usage, slice.entries[i].value, slice.entries[i].ns);
    }
    return true;
}

// Returns false when no CPU time can be known yet, or the profile is not of it.
static bool count_cpu(struct thread_tally *tally, const struct selection *selection)
{
    struct usage usage = {.tally = tally, .selection = selection};
    struct rows_span span = rows_span(tally->query);
    bool all = !span.seconds;
    span = kept_span(tally->moment, span);
    int64_t length = all ? tally->moment->since_reset : (int64_t)span.seconds * NS_PER_S;
    if (length <= 0)
        return false;
    usage.per_ns = 100.0 / (double)length;
    return all ? count_cpu_of_all(&usage) : count_cpu_of_slices(&usage, span);
}

// --- which rows, in which groups ---

static bool is_shown(const struct thread_tally *tally, const struct thread_row *row)
{
    const struct filter *filter = &tally->query->filter;
    bool ended_before = row->ended && !cost_is_any(row->cost);
    return !ended_before && (!filter->tid || row->tid == filter->tid) &&
           (!filter->thread || strcmp(row->name, filter->thread) == 0);
}

static void keep_shown(struct thread_tally *tally)
{
    size_t kept = 0;
    for (size_t i = 0; i < tally->count; i++)
        if (is_shown(tally, &tally->rows[i]))
            tally->rows[kept++] = tally->rows[i];
    tally->count = kept;
}

static int compare_names(const void *left, const void *right)
{
    const struct thread_row *a = left, *b = right;
    int names = strcmp(a->name, b->name);
    if (names)
        return names;
    int costs = (a->cpu_percent < b->cpu_percent) - (a->cpu_percent > b->cpu_percent);
    return costs ? costs : (a->tid > b->tid) - (a->tid < b->tid);
}

static void merge(struct thread_row *into, const struct thread_row *row)
{
    into->count += row->count;
    into->tid = row->tid < into->tid ? row->tid : into->tid;
    into->ended = into->ended && row->ended;
    cost_add(&into->cost, row->cost);
    cost_add(&into->cost_all, row->cost_all);
    into->cpu_percent += row->cpu_percent;
    into->held_ns += row->held_ns;
}

// What only one thread can have is that of the most active one of the group.
static void group_by_name(struct thread_tally *tally)
{
    size_t kept = 0;
    if (tally->count)
        qsort(tally->rows, tally->count, sizeof *tally->rows, compare_names);
    for (size_t i = 0; i < tally->count; i++) {
        if (kept && strcmp(tally->rows[kept - 1].name, tally->rows[i].name) == 0)
            merge(&tally->rows[kept - 1], &tally->rows[i]);
        else
            tally->rows[kept++] = tally->rows[i];
    }
    tally->count = kept;
}

static int descending(int64_t a, int64_t b)
{
    return (a < b) - (a > b);
}

static int compare_key(const struct thread_row *a, const struct thread_row *b, enum rows_sort sort)
{
    switch (sort) {
    case SORT_SAMPLES:
        return descending(cost_size(a->cost.samples), cost_size(b->cost.samples));
    case SORT_FUNCTION:
        return strcmp(a->name, b->name);
    case SORT_TID:
        return 0;
    case SORT_STATE:
        return (a->state > b->state) - (a->state < b->state);
    case SORT_DELAY:
        return descending(sums_rank(a->cost, MEASURE_TIME), sums_rank(b->cost, MEASURE_TIME));
    case SORT_HELD:
        return descending(a->held_ns, b->held_ns);
    default:
        return (a->cpu_percent < b->cpu_percent) - (a->cpu_percent > b->cpu_percent);
    }
}

static int compare_rows(const void *left, const void *right, void *context)
{
    const struct thread_row *a = left, *b = right;
    const struct rows_query *query = context;
    int by_tid = (a->tid > b->tid) - (a->tid < b->tid);
    int key = query->sort == SORT_TID ? by_tid : compare_key(a, b, query->sort);
    if (key)
        return query->reversed ? -key : key;
    return by_tid ? by_tid : strcmp(a->name, b->name);
}

enum rc rows_threads(const struct moment *moment, const struct rows_query *query,
                     struct thread_rows *rows, struct err *err)
{
    struct selection *selection;
    struct thread_tally tally = {.moment = moment, .query = query};
    struct rows_query order = *query;
    *rows = (struct thread_rows){0};
    enum rc rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    list_all(&tally);
    selection_each(selection, rows_span(query), count_window, &tally);
    selection_each(selection, (struct rows_span){0}, count_all, &tally);
    bool cpu_known = count_cpu(&tally, selection);
    find_where(&tally);
    keep_shown(&tally);
    if (query->group == GROUP_NAME || (moment->base && query->group == GROUP_ALL))
        group_by_name(&tally);
    if (tally.count)
        qsort_r(tally.rows, tally.count, sizeof *tally.rows, compare_rows, &order);
    *rows = (struct thread_rows){tally.rows, tally.count, selection_whole(selection, tally.all),
                                 cpu_known};
    free(tally.row_of);
    map_fini(&tally.tids);
    map_fini(&tally.stacks);
    free(tally.weights);
    selection_free(selection);
    return RC_OK;
}

void thread_rows_fini(struct thread_rows *rows)
{
    free(rows->rows);
    *rows = (struct thread_rows){0};
}
