// SPDX-License-Identifier: MIT
// A timeline is plain data: what threads did, when, for how long, and where. Texts, code, stacks
// and label sets that its events name are those of a plain profile that the timeline owns, which
// has a time and no samples.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/plain.h"
#include "profile/store.h"

#define TIMELINE_NONE UINT32_MAX

struct timeline_event { // a thread was in a state from `time` on
    int64_t time, duration; // ns; time: since the profile's time
    uint32_t thread;
    enum profile_state state; // STATE_RUNNING and those behind it
    uint32_t stack;    // node of the profile's stacks, 0: it is not known
    uint32_t cpu;      // that it ran on; TIMELINE_NONE: none, or not known
    uint32_t woken_by; // the thread that ended the state; TIMELINE_NONE: none, or not known
    uint32_t labels;   // what a blocked thread waited for: `wait`, `lock`; 0: nothing is known
};

struct timeline {
    struct plain_profile *profile; // owned
    bool exact; // events are the switches of the kernel; else what was seen at each look
    bool made_up; // times are (profile/plain_timeline.h)
    uint32_t *threads; // [thread]: its label set
    size_t thread_count, thread_capacity;
    struct timeline_event *events;
    size_t event_count, event_capacity;
    void *mapping; // that the events lie in, so that none can be appended; NULL: in memory
    size_t mapping_length;
};

struct timeline *timeline_new(void);
void timeline_free(struct timeline *timeline);

// Adds a thread with its label set and returns its number.
uint32_t timeline_add_thread(struct timeline *timeline, uint32_t labels);

void timeline_append(struct timeline *timeline, struct timeline_event event);

// Gives a timeline that has none these events. It owns the mapping that they lie in.
void timeline_take_mapping(struct timeline *timeline, void *mapping, size_t length,
                           struct timeline_event *events, size_t count);

// Puts events in the order of their times, those of one time in the order of their threads. Events
// of the same thread and time stay in the order in which they were appended. What is nearly in
// order takes little time and memory, however much it is.
void timeline_sort(struct timeline *timeline);

// Removes what lies before a time, like timeline_slice, without a copy.
void timeline_drop_before(struct timeline *timeline, int64_t time);

// Returns what lies within [from, to). Threads keep their numbers. Events that reach beyond are
// cut, and without woken_by if their end is. The caller frees it.
struct timeline *timeline_slice(const struct timeline *timeline, int64_t from, int64_t to);

// Returns the profile of type wall that the events add up to. It begins with the first of them and
// lasts until all have ended. The caller frees it.
struct plain_profile *timeline_wall(const struct timeline *timeline);
