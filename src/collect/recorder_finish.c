// SPDX-License-Identifier: MIT
// From the first to the last of a recorder: what it has, and the timeline that it becomes.
#include <stdlib.h>

#include "base/mem.h"
#include "collect/recorder_state.h"
#include "profile/filling.h"

static void keep_old(void *context, int64_t number, const struct recorded *recorded)
{
    struct recorder *recorder = context;
    struct recorded_thread *thread = &recorder->threads[recorded->event.thread];
    thread->old = recorded->event;
    thread->old_number = number;
    recorder->dropped++;
}

enum rc recorder_new(const struct recorder_options *options, struct recorder **out,
                     struct err *err)
{
    struct recorder *recorder = xcalloc(1, sizeof *recorder);
    pthread_mutex_init(&recorder->lock, NULL);
    enum rc rc = event_file_open(&recorder->file, options->directories, options->max_size, err);
    if (rc != RC_OK) {
        recorder_free(recorder);
        return rc;
    }
    recorder->file.drop = keep_old;
    recorder->file.context = recorder;
    recorder->timeline = timeline_new();
    *out = recorder;
    return RC_OK;
}

void recorder_free(struct recorder *recorder)
{
    if (!recorder)
        return;
    for (size_t i = 0; i < recorder->thread_count; i++)
        recorder_forget_ticks(&recorder->threads[i]);
    event_file_close(&recorder->file);
    timeline_free(recorder->timeline);
    map_fini(&recorder->tids);
    free(recorder->threads);
    free(recorder->ended.list);
    free(recorder->cpus);
    free(recorder->waiting);
    pthread_mutex_destroy(&recorder->lock);
    free(recorder);
}

// From when on no event is missing; before the first one if none gave way.
static int64_t whole_since(const struct recorder *recorder)
{
    const struct event_file *file = &recorder->file;
    return file->first ? event_file_at(file, file->first)->event.time : INT64_MIN;
}

static void close_all(struct recorder *recorder, int64_t end)
{
    for (size_t i = 0; i < recorder->thread_count; i++)
        recorder_end(recorder, recorder->threads[i].tid, end);
}

// Of each thread one event that gave way may reach into the time that is left.
static struct timeline_event *old_events(const struct recorder *recorder, int64_t since,
                                         size_t *count)
{
    struct timeline_event *old = xcalloc(recorder->thread_count + 1, sizeof *old);
    for (size_t i = *count = 0; i < recorder->thread_count; i++) {
        const struct recorded_thread *thread = &recorder->threads[i];
        if (thread->old_number >= 0 && thread->old.time + thread->old.duration > since)
            old[(*count)++] = thread->old;
    }
    return old;
}

static void add_threads(struct recorder *recorder)
{
    struct plain_profile *profile = recorder->timeline->profile;
    for (size_t i = 0; i < recorder->thread_count; i++) {
        const struct recorded_thread *thread = &recorder->threads[i];
        const struct recorded_thread *leader = recorder_thread(recorder, thread->pid);
        uint32_t process = leader ? leader->comm : thread->comm;
        const struct filling_thread facts = { // without a name of its own it has its creator's
            .pid = thread->pid,
            .tid = thread->tid,
            .comm = plain_string(profile, thread->comm ? thread->comm : process),
            .process_comm = plain_string(profile, process),
        };
        timeline_add_thread(recorder->timeline, filling_thread_labels(profile, &facts, ""));
        recorder->timeline->exact |= thread->listed;
    }
}

// What rings still held of the time after the end belongs to no trace.
static void set_times(struct timeline *timeline, int64_t start, int64_t end)
{
    size_t kept = 0;
    for (size_t i = 0; i < timeline->event_count; i++) {
        struct timeline_event event = timeline->events[i];
        if (event.time >= end)
            continue;
        if (event.duration > end - event.time)
            event.duration = end - event.time;
        event.time -= start;
        timeline->events[kept++] = event;
    }
    timeline->event_count = kept;
}

enum rc recorder_finish(struct recorder *recorder, int64_t start, int64_t end,
                        struct timeline **timeline, struct err *err)
{
    size_t count;
    recorder_told_until(recorder, INT64_MAX);
    close_all(recorder, end);
    int64_t since = whole_since(recorder);
    AUTO_FREE struct timeline_event *old = old_events(recorder, since, &count);
    enum rc rc = event_file_finish(&recorder->file, old, count, recorder->timeline, err);
    if (rc != RC_OK)
        return rc;
    add_threads(recorder);
    recorder->since = since > start ? since - start : 0;
    set_times(recorder->timeline, start, end);
    timeline_sort(recorder->timeline);
    timeline_drop_before(recorder->timeline, recorder->since);
    *timeline = steal_ptr(&recorder->timeline);
    return RC_OK;
}

void recorder_facts(struct recorder *recorder, struct run_trace *facts)
{
    pthread_mutex_lock(&recorder->lock);
    facts->threads = recorder->thread_count;
    facts->exact = 0;
    for (size_t i = 0; i < recorder->thread_count; i++)
        facts->exact += recorder->threads[i].listed;
    facts->unplaced = recorder->unplaced;
    facts->dropped = recorder->dropped;
    facts->since = recorder->since;
    pthread_mutex_unlock(&recorder->lock);
}
