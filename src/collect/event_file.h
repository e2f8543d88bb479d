// SPDX-License-Identifier: MIT
// The events of a trace while it is recorded: a file without a name that is mapped, so that the
// kernel may write it to the disk when memory is short. It is a ring: when it has its size, or the
// disk is full, the oldest events give way to new ones.
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "profile/timeline.h"

struct recorded {
    struct timeline_event event;
    int64_t previous; // number of the event of the same thread before it; -1: none
};

struct event_file {
    int fd;
    struct recorded *events; // [number % capacity]
    size_t mapped;           // bytes
    size_t capacity, room;   // in events: at the most; what the disk has room for by now
    int64_t first, end;      // numbers of those that are there: [first, end)
    void (*drop)(void *context, int64_t number, const struct recorded *recorded);
    void *context;
};

// Opens a file of at most `size` bytes in the first of the directories (their list ends in NULL)
// that takes one. `drop` is called for each event that gives way. Fails with RC_IO.
enum rc event_file_open(struct event_file *file, const char *const *directories, uint64_t size,
                        struct err *err) MUST_CHECK;
void event_file_close(struct event_file *file);

// Appends an event and returns its number. Pointers to events are invalid then.
int64_t event_file_append(struct event_file *file, const struct recorded *recorded);

// Returns an event, or NULL if it has given way.
struct recorded *event_file_at(const struct event_file *file, int64_t number);

// Gives all events to the timeline, those of `old` before them, and closes the file. Fails with
// RC_LIMIT when there is no room for the mapping.
enum rc event_file_finish(struct event_file *file, const struct timeline_event *old, size_t count,
                          struct timeline *timeline, struct err *err) MUST_CHECK;
