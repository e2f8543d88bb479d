// SPDX-License-Identifier: MIT
#include "rows/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "rows/main_wait.h"
#include "rows/selection.h"

#define TREND_SECONDS_OF_ALL 5

struct function_tally {
    const struct moment *moment;
    const struct rows_query *query;
    const struct selection *selection;
    struct function_row *rows; // [function]
    size_t count;
    int64_t *hottest; // [function]: cost of the line that the row names, + 1; 0: none yet
    struct sums window, all; // first of leaves, then accumulated
};

static struct name_span frames_of(const struct function_tally *tally, uint32_t node)
{
    const struct moment *moment = tally->moment;
    return names_frames(moment->names, moment->profile->stacks.nodes[node].location);
}

static void begin_rows(struct function_tally *tally)
{
    tally->count = names_function_count(tally->moment->names);
    tally->rows = xcalloc(tally->count, sizeof *tally->rows);
    tally->hottest = xcalloc(tally->count, sizeof *tally->hottest);
    struct function_row *folded = &tally->rows[NAMES_FOLDED];
    folded->self = folded->total = tally->window.nodes[0];
    folded->self_all = folded->total_all = tally->all.nodes[0];
}

static void note_frame(struct function_tally *tally, const struct name_frame *frame, int64_t cost)
{
    struct function_row *row = &tally->rows[frame->function];
    int64_t *hottest = &tally->hottest[frame->function];
    row->inlined = frame->inlined && (row->inlined || !*hottest);
    if (*hottest > cost)
        return;
    *hottest = cost + 1;
    row->file = frame->file;
    row->line = frame->line;
}

static void count_self(struct function_tally *tally)
{
    for (uint32_t node = 1; node < tally->all.count; node++) {
        struct cost window = tally->window.nodes[node], all = tally->all.nodes[node];
        if (!cost_is_any(window) && !cost_is_any(all))
            continue;
        const struct name_frame *leaf = frames_of(tally, node).frames;
        cost_add(&tally->rows[leaf->function].self, window);
        cost_add(&tally->rows[leaf->function].self_all, all);
        note_frame(tally, leaf, sums_line(tally->selection, all));
    }
}

// A function counts once in a stack: where it is nearest to the root.
static void count_total(struct function_tally *tally)
{
    const struct moment *moment = tally->moment;
    for (uint32_t node = 1; node < tally->all.count; node++) {
        struct cost window = tally->window.nodes[node], all = tally->all.nodes[node];
        if (!cost_is_any(window) && !cost_is_any(all))
            continue;
        uint64_t outermost = names_outermost(moment->names, moment->profile, node);
        struct name_span span = frames_of(tally, node);
        for (size_t i = 0; i < span.count; i++) {
            struct function_row *row = &tally->rows[span.frames[i].function];
            note_frame(tally, &span.frames[i], 0);
            if (!(outermost >> i & 1))
                continue;
            cost_add(&row->total, window);
            cost_add(&row->total_all, all);
        }
    }
}

// --- distinct threads ---

struct sighting {
    uint32_t thread, stack;
};

struct sightings {
    struct sighting *list;
    size_t count, capacity;
};

static void note_sighting(void *context, const struct pick *pick)
{
    struct sightings *sightings = context;
    ARRAY_RESERVE(sightings->list, sightings->count, sightings->capacity);
    sightings->list[sightings->count++] = (struct sighting){pick->thread, pick->stack};
}

static int compare_sightings(const void *left, const void *right)
{
    const struct sighting *a = left, *b = right;
    return (a->thread > b->thread) - (a->thread < b->thread);
}

// Sightings are gone through thread by thread; callers of a node that a thread has already been
// counted at have been counted too.
static void count_threads(struct function_tally *tally)
{
    const struct plain_node *stacks = tally->moment->profile->stacks.nodes;
    struct sightings sightings = {0};
    AUTO_FREE uint32_t *nodes = xcalloc(tally->all.count, sizeof *nodes); // thread + 1, the last
    AUTO_FREE uint32_t *functions = xcalloc(tally->count, sizeof *functions);
    selection_each(tally->selection, rows_span(tally->query), note_sighting, &sightings);
    if (sightings.count)
        qsort(sightings.list, sightings.count, sizeof *sightings.list, compare_sightings);
    for (size_t i = 0; i < sightings.count; i++) {
        uint32_t mark = sightings.list[i].thread + 1;
        for (uint32_t at = sightings.list[i].stack; at && nodes[at] != mark;
             at = stacks[at].parent) {
            struct name_span span = frames_of(tally, at);
            nodes[at] = mark;
            for (size_t k = 0; k < span.count; k++) {
                uint32_t function = span.frames[k].function;
                tally->rows[function].threads += functions[function] != mark;
                functions[function] = mark;
            }
        }
    }
    free(sightings.list);
}

// --- trends ---

// Adds what the leaves have in `seconds` slices, from `back` on, and returns how much that is.
static uint64_t count_slices(const struct function_tally *tally, size_t back, size_t seconds,
                             float *counts)
{
    uint64_t all = 0;
    enum rows_measure measure = tally->query->filter.type ? MEASURE_TIME : MEASURE_SAMPLES;
    for (size_t end = back + seconds; back < end; back++) {
        struct slice slice = slices_get(tally->moment->slices, back);
        for (size_t i = 0; i < slice.count; i++) {
            const struct slice_entry *entry = &slice.entries[i];
            struct pick pick = selection_pick(tally->selection, entry->value);
            if (!selection_takes(tally->selection, &pick))
                continue;
            uint64_t part = measure == MEASURE_TIME ? entry->ns : entry->samples;
            all += part;
            if (pick.stack)
                counts[frames_of(tally, pick.stack).frames->function] += (float)part;
        }
    }
    return all;
}

static size_t fill_trends(struct function_tally *tally)
{
    struct rows_span span = rows_span(tally->query);
    size_t length = span.seconds ? span.seconds : TREND_SECONDS_OF_ALL;
    size_t kept = tally->moment->slices ? slices_count(tally->moment->slices) : 0;
    size_t windows = kept / length;
    if (windows > TREND_LENGTH)
        windows = TREND_LENGTH;
    AUTO_FREE float *counts = xmalloc((tally->count + 1) * sizeof *counts);
    for (size_t back = 0; back < windows; back++) {
        memset(counts, 0, tally->count * sizeof *counts);
        uint64_t all = count_slices(tally, back * length, length, counts);
        for (size_t i = 0; all && i < tally->count; i++)
            tally->rows[i].trend[TREND_LENGTH - 1 - back] = 100 * counts[i] / (float)all;
    }
    return windows;
}

static void fill_waits(struct function_tally *tally)
{
    bool any = filter_is_delay(&tally->query->filter);
    AUTO_FREE struct main_wait *waits =
        any ? main_waits(tally->moment, tally->selection, rows_span(tally->query)) : NULL;
    for (size_t i = 0; i < tally->count; i++) {
        tally->rows[i].wait = any ? waits[i].wait : "";
        tally->rows[i].lock = any ? waits[i].lock : "";
    }
}

// --- order ---

static int descending(int64_t a, int64_t b)
{
    return (a < b) - (a > b);
}

static int compare_times(struct cost a, struct cost b)
{
    return descending(sums_rank(a, MEASURE_TIME), sums_rank(b, MEASURE_TIME));
}

static int compare_samples(struct cost a, struct cost b)
{
    return descending(sums_rank(a, MEASURE_SAMPLES), sums_rank(b, MEASURE_SAMPLES));
}

struct function_order {
    enum rows_sort sort;
    enum rows_measure measure;
    bool reversed;
};

static int compare_cost(struct cost a, struct cost b, enum rows_measure measure)
{
    int order = descending(sums_rank(a, measure), sums_rank(b, measure));
    return order ? order : compare_samples(a, b);
}

static int compare_key(const struct function_row *a, const struct function_row *b,
                       const struct function_order *order)
{
    switch (order->sort) {
    case SORT_TOTAL:
        return compare_cost(a->total, b->total, order->measure);
    case SORT_SELF_TIME:
        return compare_times(a->self_all, b->self_all);
    case SORT_TOTAL_TIME:
        return compare_times(a->total_all, b->total_all);
    case SORT_SAMPLES:
        return compare_samples(a->self, b->self);
    case SORT_THREADS:
        return descending(a->threads, b->threads);
    case SORT_FUNCTION:
        return strcmp(a->function->name, b->function->name);
    case SORT_MODULE:
        return strcmp(a->function->module, b->function->module);
    case SORT_LINE: {
        int files = strcmp(a->file, b->file);
        return files ? files : descending(b->line, a->line);
    }
    default: // what only threads have is no order of functions
        return compare_cost(a->self, b->self, order->measure);
    }
}

static int compare_rows(const void *left, const void *right, void *context)
{
    const struct function_row *a = left, *b = right;
    const struct function_order *order = context;
    int key = compare_key(a, b, order);
    int rest[] = {
        order->reversed ? -key : key,
        compare_cost(a->self, b->self, order->measure),
        compare_cost(a->total, b->total, order->measure),
        compare_times(a->self_all, b->self_all),
        compare_times(a->total_all, b->total_all),
        compare_samples(a->total_all, b->total_all),
        strcmp(a->function->name, b->function->name),
        strcmp(a->function->module, b->function->module),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(rest); i++)
        if (rest[i])
            return rest[i];
    return 0;
}

// A function of which the filter leaves nothing is no row.
static size_t close_ranks(struct function_tally *tally)
{
    size_t kept = 0;
    for (uint32_t i = 0; i < tally->count; i++) {
        struct function_row row = tally->rows[i];
        if (!cost_is_any(row.total) && !cost_is_any(row.total_all))
            continue;
        row.function = names_function(tally->moment->names, i);
        row.id = row.function->id;
        if (!row.file)
            row.file = "";
        tally->rows[kept++] = row;
    }
    return kept;
}

enum rc rows_functions(const struct moment *moment, const struct rows_query *query,
                       struct function_rows *rows, struct err *err)
{
    struct selection *selection;
    *rows = (struct function_rows){0};
    enum rc rc = selection_new(moment, &query->filter, &selection, err);
    if (rc != RC_OK)
        return rc;
    struct function_tally tally = {.moment = moment, .query = query, .selection = selection};
    struct function_order order = {query->sort, rows_measure(query), query->reversed};
    bool windowed = rows_span(query).seconds; // else both are the same
    sums_init(&tally.all, selection, (struct rows_span){0});
    tally.window = tally.all;
    if (windowed)
        sums_init(&tally.window, selection, rows_span(query));
    begin_rows(&tally);
    count_self(&tally);
    sums_accumulate(&tally.all, moment->profile);
    if (windowed)
        sums_accumulate(&tally.window, moment->profile);
    count_total(&tally);
    count_threads(&tally);
    rows->trend_count = fill_trends(&tally);
    fill_waits(&tally);
    rows->rows = tally.rows;
    rows->count = close_ranks(&tally);
    rows->all = selection_whole(selection, tally.window.all);
    rows->all_all = selection_whole(selection, tally.all.all);
    if (rows->count)
        qsort_r(rows->rows, rows->count, sizeof *rows->rows, compare_rows, &order);
    free(tally.hottest);
    if (windowed)
        sums_fini(&tally.window);
    sums_fini(&tally.all);
    selection_free(selection);
    return RC_OK;
}

void function_rows_fini(struct function_rows *rows)
{
    free(rows->rows);
    *rows = (struct function_rows){0};
}
