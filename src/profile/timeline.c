// SPDX-License-Identifier: MIT
#include "profile/timeline.h"

#include <assert.h>
#include <stdlib.h>

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
    free(timeline->events);
    free(timeline);
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
    assert(event.thread < timeline->thread_count && event.duration >= 0);
    assert(event.stack < timeline->profile->stacks.count);
    ARRAY_RESERVE(timeline->events, timeline->event_count, timeline->event_capacity);
    timeline->events[timeline->event_count++] = event;
}

struct numbered_event {
    struct timeline_event event;
    size_t number;
};

static int compare_events(const void *left, const void *right)
{
    const struct numbered_event *a = left, *b = right;
    if (a->event.time != b->event.time)
        return a->event.time < b->event.time ? -1 : 1;
    if (a->event.thread != b->event.thread)
        return a->event.thread < b->event.thread ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

void timeline_sort(struct timeline *timeline)
{
    size_t count = timeline->event_count;
    AUTO_FREE struct numbered_event *sorted = xcalloc(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct numbered_event){timeline->events[i], i};
    qsort(sorted, count, sizeof *sorted, compare_events);
    for (size_t i = 0; i < count; i++)
        timeline->events[i] = sorted[i].event;
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
