// SPDX-License-Identifier: MIT
#include "profile/timeline.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "profile/types.h"

struct timeline *timeline_new(void)
{
    struct timeline *timeline = xcalloc(1, sizeof *timeline);
    timeline->profile = plain_new();
    return timeline;
}

void timeline_free(struct timeline *timeline)
{
    if (!timeline)
        return;
    plain_free(timeline->profile);
    free(timeline->threads);
    if (timeline->mapping)
        munmap(timeline->mapping, timeline->mapping_length);
    else
        free(timeline->events);
    free(timeline);
}

void timeline_take_mapping(struct timeline *timeline, void *mapping, size_t length,
                           struct timeline_event *events, size_t count)
{
    assert(!timeline->events);
    timeline->mapping = mapping;
    timeline->mapping_length = length;
    timeline->events = events;
    timeline->event_count = count;
}

uint32_t timeline_add_thread(struct timeline *timeline, uint32_t labels)
{
    assert(labels < timeline->profile->labels.set_count);
    ARRAY_RESERVE(timeline->threads, timeline->thread_count, timeline->thread_capacity);
    timeline->threads[timeline->thread_count] = labels;
    return (uint32_t)timeline->thread_count++;
}

void timeline_append(struct timeline *timeline, struct timeline_event event)
{
    assert(event.thread < timeline->thread_count && event.duration >= 0 && !timeline->mapping);
    assert(event.stack < timeline->profile->stacks.count);
    ARRAY_RESERVE(timeline->events, timeline->event_count, timeline->event_capacity);
    timeline->events[timeline->event_count++] = event;
}

struct event_sorting {
    struct timeline_event *spare; // a copy of what is being merged
    size_t capacity;
};

static bool comes_before(const struct timeline_event *a, const struct timeline_event *b)
{
    return a->time != b->time ? a->time < b->time : a->thread < b->thread;
}

// Returns how many of the events, which are in order, do not come after that one.
static size_t count_until(const struct timeline_event *events, size_t count,
                          const struct timeline_event *event)
{
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (comes_before(event, &events[middle]))
            count = middle;
        else
            low = middle + 1;
    }
    return low;
}

// Merges two neighbours that are in order. Only what overlaps is moved.
static void merge(struct event_sorting *sorting, struct timeline_event *events, size_t half,
                  size_t count)
{
    size_t to = count_until(events, half, &events[half]), overlap = half - to;
    if (overlap > sorting->capacity)
        sorting->spare = xrealloc(sorting->spare, (sorting->capacity = overlap) * sizeof *events);
    if (overlap)
        memcpy(sorting->spare, events + to, overlap * sizeof *events);
    for (size_t left = 0, right = half; left < overlap; to++) {
        bool from_right =
            right < count && comes_before(&events[right], &sorting->spare[left]);
        events[to] = from_right ? events[right++] : sorting->spare[left++];
    }
}

static void sort(struct event_sorting *sorting, struct timeline_event *events, size_t count)
{
    size_t half = count / 2;
    if (!half)
        return;
    sort(sorting, events, half);
    sort(sorting, events + half, count - half);
    merge(sorting, events, half, count);
}

void timeline_sort(struct timeline *timeline)
{
    struct event_sorting sorting = {0};
    sort(&sorting, timeline->events, timeline->event_count);
    free(sorting.spare);
}

static bool cut_event(struct timeline_event *event, int64_t from, int64_t to)
{
    int64_t end = event->time + event->duration;
    bool within = event->duration ? event->time < to && end > from
                                  : event->time >= from && event->time < to;
    if (end > to) {
        end = to;
        event->woken_by = TIMELINE_NONE;
    }
    event->time = event->time < from ? from : event->time;
    event->duration = end - event->time;
    return within;
}

struct timeline *timeline_slice(const struct timeline *timeline, int64_t from, int64_t to)
{
    struct timeline *slice = xcalloc(1, sizeof *slice);
    slice->profile = plain_copy(timeline->profile);
    slice->exact = timeline->exact;
    for (size_t i = 0; i < timeline->thread_count; i++)
        timeline_add_thread(slice, timeline->threads[i]);
    for (size_t i = 0; i < timeline->event_count; i++) {
        struct timeline_event event = timeline->events[i];
        if (cut_event(&event, from, to))
            timeline_append(slice, event);
    }
    return slice;
}

void timeline_drop_before(struct timeline *timeline, int64_t time)
{
    size_t kept = 0;
    for (size_t i = 0; i < timeline->event_count; i++) {
        struct timeline_event event = timeline->events[i];
        if (cut_event(&event, time, INT64_MAX))
            timeline->events[kept++] = event;
    }
    timeline->event_count = kept;
}

static void set_times(const struct timeline *timeline, struct plain_profile *profile)
{
    if (!timeline->event_count)
        return;
    int64_t first = INT64_MAX, last = INT64_MIN;
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        int64_t end = event->time + event->duration;
        first = event->time < first ? event->time : first;
        last = end > last ? end : last;
    }
    profile->time += first;
    profile->duration = last - first;
}

struct plain_profile *timeline_wall(const struct timeline *timeline)
{
    struct plain_profile *profile = plain_copy(timeline->profile);
    profile_type_add(&profile_types[PROFILE_WALL], profile);
    set_times(timeline, profile);
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        uint32_t set = plain_with_text(profile, timeline->threads[event->thread],
                                       profile_types[PROFILE_WALL].label,
                                       profile_state_names[event->state]);
        const int64_t values[] = {1, event->duration};
        plain_add(profile, plain_sample(profile, event->stack, set), values);
    }
    return profile;
}
