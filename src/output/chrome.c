// SPDX-License-Identifier: MIT
// Chrome's trace events of a profile, for Perfetto and chrome://tracing: the call tree of each
// thread, a slice for each function, on an axis of time that is made up (profile/plain_timeline.h).
// Slices begin ("B") and end ("E") in pairs in the order in which they are nested, which all
// readers take as it stands, whatever they do with equal times.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/formats.h"
#include "output/trace_parts.h"
#include "profile/plain_frame.h"
#include "profile/plain_timeline.h"

#define AXIS "the axis is made up: a profile has no times, so its values lie one behind the other"

struct chrome {
    const struct plain_profile *profile;
    struct measure measure;
    struct plain_order order;
    struct trace_json trace;
    int64_t pid, tid; // of the present thread
    int64_t time;     // on its axis
    uint32_t *open, *way; // nodes whose slices have begun, root first; those of the next stack
    size_t open_count, open_capacity, way_count, way_capacity;
};

static void begin_event(struct chrome *chrome, const char *phase)
{
    struct json *json = &chrome->trace.json;
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "ph", phase);
    json_number(json, "pid", chrome->pid);
    json_number(json, "tid", chrome->tid);
}

static void put_end(struct chrome *chrome, const char *phase, const char *name)
{
    struct json *json = &chrome->trace.json;
    begin_event(chrome, phase);
    json_decimal(json, "ts", (double)chrome->time / NS_PER_US, 3);
    json_text(json, "name", *name ? name : "[unknown]");
    json_end(json, '{');
    trace_json_some(&chrome->trace);
}

// A location has a slice for each of its frames, the outermost first.
static void open_node(struct chrome *chrome, uint32_t node)
{
    uint32_t location = chrome->profile->stacks.nodes[node].location;
    for (size_t i = plain_frame_count(chrome->profile, location); i-- > 0;)
        put_end(chrome, "B", plain_frame(chrome->profile, location, i).name);
    ARRAY_RESERVE(chrome->open, chrome->open_count, chrome->open_capacity);
    chrome->open[chrome->open_count++] = node;
}

static void close_to(struct chrome *chrome, size_t depth)
{
    while (chrome->open_count > depth) {
        uint32_t node = chrome->open[--chrome->open_count];
        uint32_t location = chrome->profile->stacks.nodes[node].location;
        for (size_t i = 0; i < plain_frame_count(chrome->profile, location); i++)
            put_end(chrome, "E", plain_frame(chrome->profile, location, i).name);
    }
}

static void find_way(struct chrome *chrome, uint32_t stack)
{
    const struct plain_node *nodes = chrome->profile->stacks.nodes;
    chrome->way_count = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        ARRAY_RESERVE(chrome->way, chrome->way_count, chrome->way_capacity);
        chrome->way[chrome->way_count++] = at;
    }
    for (size_t i = 0, j = chrome->way_count; i + 1 < j; i++) {
        uint32_t kept = chrome->way[i];
        chrome->way[i] = chrome->way[--j];
        chrome->way[j] = kept;
    }
}

static void put_sample(struct chrome *chrome, uint32_t sample)
{
    int64_t value = plain_values(chrome->profile, sample)[chrome->measure.main];
    size_t same = 0;
    if (value <= 0 || value > INT64_MAX - chrome->time)
        return;
    find_way(chrome, chrome->profile->samples.list[sample].stack);
    while (same < chrome->open_count && same < chrome->way_count &&
           chrome->open[same] == chrome->way[same])
        same++;
    close_to(chrome, same);
    for (size_t i = same; i < chrome->way_count; i++)
        open_node(chrome, chrome->way[i]);
    chrome->time += value;
}

static int64_t number(const struct chrome *chrome, uint32_t labels, const char *key)
{
    const struct plain_label *label = plain_label(chrome->profile, labels, key);
    return label ? label->number : 0;
}

static void put_name(struct chrome *chrome, const char *what, const char *key, uint32_t labels)
{
    const char *fallback = strcmp(key, "thread") == 0 ? "all threads" : "";
    const struct plain_label *label = plain_label(chrome->profile, labels, key);
    struct json *json = &chrome->trace.json;
    begin_event(chrome, "M");
    json_text(json, "name", what);
    json_begin(json, "args", '{');
    json_text(json, "name", label ? plain_string(chrome->profile, label->text) : fallback);
    json_end(json, '{');
    json_end(json, '{');
}

static size_t put_thread(struct chrome *chrome, size_t from, uint32_t thread)
{
    uint32_t labels = chrome->order.labels[thread];
    chrome->pid = number(chrome, labels, "pid");
    chrome->tid = number(chrome, labels, "tid");
    chrome->tid = chrome->tid ? chrome->tid : thread + 1;
    chrome->time = 0;
    put_name(chrome, "process_name", "comm", labels);
    put_name(chrome, "thread_name", "thread", labels);
    for (; from < chrome->profile->samples.count; from++) {
        uint32_t sample = chrome->order.samples[from];
        if (chrome->order.threads[sample] != thread)
            break;
        put_sample(chrome, sample);
    }
    close_to(chrome, 0);
    return from;
}

enum rc chrome_write(const struct writing *writing, FILE *out, struct err *err)
{
    struct chrome chrome = {.profile = writing->profile,
                            .measure = measure_of(writing->profile)};
    struct json *json = &chrome.trace.json;
    size_t at = 0;
    plain_order_init(&chrome.order, chrome.profile);
    trace_json_init(&chrome.trace, out, err);
    json_begin(json, NULL, '{');
    json_begin(json, "traceEvents", '[');
    for (uint32_t i = 0; i < chrome.order.thread_count; i++)
        at = put_thread(&chrome, at, i);
    json_end(json, '[');
    json_line(json);
    json_begin(json, "otherData", '{');
    json_text(json, "times", AXIS);
    json_text(json, "values", chrome.measure.type);
    json_text(json, "unit", chrome.measure.unit);
    json_end(json, '{');
    json_end(json, '{');
    buf_putc(json->out, '\n');
    plain_order_fini(&chrome.order);
    free(chrome.open);
    free(chrome.way);
    return trace_json_fini(&chrome.trace);
}
