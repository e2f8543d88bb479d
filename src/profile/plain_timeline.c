// SPDX-License-Identifier: MIT
#include "profile/plain_timeline.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/plain_threads.h"
#include "profile/plain_transfer.h"

#define RECORDS 10000 // that a timeline without a period of its own is to have
#define MORE 100      // times as many are taken from one that has

// --- the order ---

struct seat { // of a sample
    uint32_t thread, rank, sample;
};

// Numbers nodes so that each comes behind its caller and before its caller's next child. Children
// have higher numbers than their parents, so lists of siblings are made from the end.
static uint32_t *rank_nodes(const struct plain_stacks *stacks)
{
    size_t count = stacks->count;
    uint32_t *ranks = xcalloc(count + 1, sizeof *ranks), next = 0;
    AUTO_FREE uint32_t *first = xcalloc(count + 1, sizeof *first);
    AUTO_FREE uint32_t *sibling = xcalloc(count + 1, sizeof *sibling);
    for (size_t i = count; i-- > 1;) {
        sibling[i] = first[stacks->nodes[i].parent];
        first[stacks->nodes[i].parent] = (uint32_t)i;
    }
    for (uint32_t at = count ? first[0] : 0; at;) {
        ranks[at] = ++next;
        if (first[at]) {
            at = first[at];
            continue;
        }
        while (at && !sibling[at])
            at = stacks->nodes[at].parent;
        at = at ? sibling[at] : 0;
    }
    return ranks;
}

static int compare(const void *left, const void *right)
{
    const struct seat *a = left, *b = right;
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->rank != b->rank)
        return a->rank < b->rank ? -1 : 1;
    return a->sample < b->sample ? -1 : a->sample > b->sample;
}

void plain_order_init(struct plain_order *order, const struct plain_profile *profile)
{
    size_t count = profile->samples.count;
    struct plain_threads threads;
    AUTO_FREE uint32_t *ranks = rank_nodes(&profile->stacks);
    AUTO_FREE struct seat *places = xcalloc(count + 1, sizeof *places);
    plain_threads_init(&threads, profile);
    *order = (struct plain_order){
        .samples = xcalloc(count + 1, sizeof *order->samples),
        .threads = xcalloc(count + 1, sizeof *order->threads),
        .labels = xcalloc(threads.count + 1, sizeof *order->labels),
        .thread_count = threads.count,
    };
    for (uint32_t i = 0; i < count; i++) {
        const struct plain_sample *sample = &profile->samples.list[i];
        order->threads[i] = threads.of[sample->labels].thread;
        places[i] = (struct seat){order->threads[i], ranks[sample->stack], i};
    }
    qsort(places, count, sizeof *places, compare);
    for (size_t i = 0; i < count; i++)
        order->samples[i] = places[i].sample;
    for (size_t i = 0; i < threads.count; i++)
        order->labels[i] = threads.list[i].labels;
    plain_threads_fini(&threads);
}

void plain_order_fini(struct plain_order *order)
{
    free(order->samples);
    free(order->threads);
    free(order->labels);
    *order = (struct plain_order){0};
}

// --- the timeline ---

// Only wall time says what threads did; all else is shown as if they ran, which viewers count.
static enum profile_state state_of(const struct measure *measure, const struct plain_threads *of,
                                   uint32_t labels)
{
    return measure->wall ? of->of[labels].state : STATE_RUNNING;
}

static void lay_out(struct timeline *timeline, const struct plain_profile *profile,
                    const struct measure *measure, const struct plain_order *order)
{
    struct plain_transfer *transfer = plain_transfer_new(timeline->profile);
    AUTO_FREE int64_t *ends = xcalloc(order->thread_count + 1, sizeof *ends);
    struct plain_threads whose;
    plain_threads_init(&whose, profile);
    plain_transfer_from(transfer, profile);
    for (size_t i = 0; i < order->thread_count; i++)
        timeline_add_thread(timeline, plain_transfer_labels(transfer, order->labels[i]));
    for (size_t i = 0; i < profile->samples.count; i++) {
        uint32_t sample = order->samples[i], thread = order->threads[sample];
        const struct plain_sample *from = &profile->samples.list[sample];
        int64_t value = plain_values(profile, sample)[measure->main];
        if (value <= 0 || value > INT64_MAX - ends[thread])
            continue;
        timeline_append(timeline, (struct timeline_event){
            .time = ends[thread], .duration = value, .thread = thread,
            .state = state_of(measure, &whose, from->labels),
            .stack = plain_transfer_stack(transfer, from->stack),
            .cpu = TIMELINE_NONE, .woken_by = TIMELINE_NONE,
            .labels = plain_transfer_labels(transfer, from->labels)});
        ends[thread] += value;
    }
    plain_threads_fini(&whose);
    plain_transfer_free(transfer);
}

// Viewers take samples at a period: it is that of the profile, if that is one of the values that
// are shown and makes no more records than anybody wants to read.
static void set_period(struct plain_profile *profile, const struct plain_profile *from,
                       const struct measure *measure, const struct timeline *timeline)
{
    const char *unit = plain_string(from, from->period_type.unit);
    int64_t least = 1; // of all threads together, which may be more than 64 bits hold
    for (size_t i = 0; i < timeline->event_count && least < INT64_MAX / 2; i++)
        least += timeline->events[i].duration / RECORDS;
    bool usual = strcmp(unit, measure->unit) == 0 && from->period >= least / MORE;
    profile->period_type = (struct plain_type){.type = plain_text(profile, measure->type),
                                               .unit = plain_text(profile, "nanoseconds")};
    profile->period = usual && from->period > 0 ? from->period : least;
}

struct timeline *plain_timeline(const struct plain_profile *profile,
                                const struct measure *measure)
{
    struct timeline *timeline = timeline_new();
    struct plain_order order;
    plain_free(timeline->profile);
    timeline->profile = plain_head_of(profile);
    timeline->made_up = true;
    plain_order_init(&order, profile);
    lay_out(timeline, profile, measure, &order);
    plain_order_fini(&order);
    timeline_sort(timeline);
    set_period(timeline->profile, profile, measure, timeline);
    return timeline;
}
