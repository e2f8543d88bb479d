// SPDX-License-Identifier: MIT
// Chrome's trace events (JSON), for Perfetto and chrome://tracing. Each event of the timeline is a
// slice ("X") of its thread: while it runs the name is that of its innermost function, while it is
// blocked that of what it waits for. An arrow ("s", "f") goes from who ended a state to what its
// thread did next. What readers make of it:
//   - Times are in microseconds and read as doubles. speedscope adds `ts` and `dur`: a slice would
//     often end beyond the beginning of the next one, and never be closed then. So each ends one
//     nanosecond early. Perfetto cuts `dur` to nanoseconds, and drops slices that overlap.
//   - "f" without "bp" goes to the slice that begins next on the thread. Lines stand in the order
//     in which slices begin, and readers sort stably, so that is the one behind the wait.
//   - speedscope never closes a slice without duration if another one begins then. An event that
//     has none is an instant ("i").
//   - speedscope names a slice by its arguments too, so there are no more than these.
#include <stdlib.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "output/formats.h"
#include "output/trace_parts.h"
#include "profile/plain_frame.h"

struct trace_chrome {
    const struct timeline *timeline;
    struct trace_thread *threads;
    int64_t origin;
    struct trace_json trace;
    int64_t arrows; // written so far
    struct buf stack; // of the present event, as text
    uint32_t *way;    // its nodes, leaf first
    size_t way_capacity;
};

static void put_time(struct json *json, const char *key, int64_t ns)
{
    json_decimal(json, key, (double)ns / NS_PER_US, 3);
}

static struct json *begin_event(struct trace_chrome *chrome, const char *phase, uint32_t thread)
{
    struct json *json = &chrome->trace.json;
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "ph", phase);
    json_number(json, "pid", chrome->threads[thread].pid);
    json_number(json, "tid", chrome->threads[thread].tid);
    return json;
}

// --- names ---

static void put_name(struct trace_chrome *chrome, uint32_t thread, const char *what,
                     const char *name)
{
    struct json *json = begin_event(chrome, "M", thread);
    json_text(json, "name", what);
    json_begin(json, "args", '{');
    json_text(json, "name", name);
    json_end(json, '{');
    json_end(json, '{');
    trace_json_some(&chrome->trace);
}

static void put_names(struct trace_chrome *chrome)
{
    struct map processes = {0};
    for (uint32_t i = 0; i < chrome->timeline->thread_count; i++) {
        const struct trace_thread *thread = &chrome->threads[i];
        size_t known = processes.count;
        map_number(&processes, (uint64_t)thread->pid);
        if (processes.count > known)
            put_name(chrome, i, "process_name", thread->process);
        put_name(chrome, i, "thread_name", thread->name);
    }
    map_fini(&processes);
}

// --- slices ---

static void put_location(struct trace_chrome *chrome, uint32_t location)
{
    const struct plain_profile *profile = chrome->timeline->profile;
    for (size_t i = plain_frame_count(profile, location); i-- > 0;) {
        if (chrome->stack.length)
            buf_putc(&chrome->stack, ';');
        buf_puts(&chrome->stack, plain_frame(profile, location, i).name);
    }
}

// "main;serve;poll", the root first.
static const char *stack_text(struct trace_chrome *chrome, uint32_t stack)
{
    const struct plain_node *nodes = chrome->timeline->profile->stacks.nodes;
    size_t count = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        ARRAY_RESERVE(chrome->way, count, chrome->way_capacity);
        chrome->way[count++] = at;
    }
    buf_clear(&chrome->stack);
    while (count-- > 0)
        put_location(chrome, nodes[chrome->way[count]].location);
    return chrome->stack.data;
}

static const char *name_of(const struct trace_chrome *chrome, const struct timeline_event *event)
{
    const struct plain_profile *profile = chrome->timeline->profile;
    const char *name = "";
    if (event->state == STATE_BLOCKED)
        name = plain_string(profile, trace_label(chrome->timeline, event->labels, "wait"));
    else if (event->state != STATE_QUEUED && event->stack)
        name = plain_frame(profile, profile->stacks.nodes[event->stack].location, 0).name;
    return *name ? name : trace_states[event->state];
}

// speedscope shows arguments that are empty too.
static void put_arguments(struct trace_chrome *chrome, const struct timeline_event *event)
{
    struct json *json = &chrome->trace.json;
    uint32_t lock = trace_label(chrome->timeline, event->labels, "lock");
    bool stack = event->stack && event->state != STATE_QUEUED;
    if (event->cpu == TIMELINE_NONE && !lock && !stack)
        return;
    json_begin(json, "args", '{');
    if (event->cpu != TIMELINE_NONE)
        json_count(json, "cpu", event->cpu);
    if (lock)
        json_text(json, "lock", plain_string(chrome->timeline->profile, lock));
    if (stack)
        json_text(json, "stack", stack_text(chrome, event->stack));
    json_end(json, '{');
}

static void put_slice(struct trace_chrome *chrome, const struct timeline_event *event)
{
    struct json *json = begin_event(chrome, event->duration ? "X" : "i", event->thread);
    put_time(json, "ts", event->time - chrome->origin);
    if (event->duration)
        put_time(json, "dur", event->duration - 1);
    json_text(json, "cat", trace_states[event->state]);
    json_text(json, "name", name_of(chrome, event));
    put_arguments(chrome, event);
    json_end(json, '{');
}

static void put_arrow(struct trace_chrome *chrome, const char *phase, uint32_t thread, int64_t time)
{
    struct json *json = begin_event(chrome, phase, thread);
    put_time(json, "ts", time - chrome->origin);
    json_number(json, "id", chrome->arrows);
    json_text(json, "cat", "wake");
    json_text(json, "name", "wakes");
    json_end(json, '{');
}

static void put_events(struct trace_chrome *chrome)
{
    AUTO_FREE int64_t *ends = trace_ends(chrome->timeline);
    for (size_t i = 0; i < chrome->timeline->event_count; i++) {
        struct timeline_event event = trace_cut(ends, &chrome->timeline->events[i]);
        put_slice(chrome, &event);
        if (event.woken_by != TIMELINE_NONE) {
            chrome->arrows++;
            put_arrow(chrome, "s", event.woken_by, event.time + event.duration);
            put_arrow(chrome, "f", event.thread, event.time + event.duration);
        }
        trace_json_some(&chrome->trace);
    }
}

static void put_facts(struct json *json, const struct timeline *timeline)
{
    const struct plain_profile *profile = timeline->profile;
    json_line(json);
    json_begin(json, "otherData", '{');
    json_text(json, "states", trace_accuracy(timeline));
    json_number(json, "start_ns", profile->time + trace_origin(timeline));
    for (size_t i = 0; i < profile->comment_count; i++) {
        AUTO_FREE char *key = xasprintf("comment %zu", i + 1);
        json_text(json, key, plain_string(profile, profile->comments[i]));
    }
    json_end(json, '{');
}

// Perfetto knows the format by the first key.
enum rc trace_chrome_write(const struct timeline *timeline, FILE *out, struct err *err)
{
    struct trace_chrome chrome = {
        .timeline = timeline,
        .threads = trace_threads(timeline),
        .origin = trace_origin(timeline),
    };
    struct json *json = &chrome.trace.json;
    trace_json_init(&chrome.trace, out, err);
    json_begin(json, NULL, '{');
    json_begin(json, "traceEvents", '[');
    put_names(&chrome);
    put_events(&chrome);
    json_end(json, '[');
    put_facts(json, timeline);
    json_end(json, '{');
    buf_putc(json->out, '\n');
    buf_fini(&chrome.stack);
    free(chrome.way);
    free(chrome.threads);
    return trace_json_fini(&chrome.trace);
}
