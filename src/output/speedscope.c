// SPDX-License-Identifier: MIT
// speedscope's own format: a "sampled" profile for each thread, with weights, and every inlined
// function as a frame of its own, which it does not show of pprof files.
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "output/formats.h"
#include "output/trace_parts.h"
#include "profile/plain_frame.h"
#include "profile/plain_timeline.h"

#define SCHEMA "https://www.speedscope.app/file-format-schema.json"

struct speedscope {
    const struct plain_profile *profile;
    struct measure measure;
    struct plain_order order;
    struct trace_json trace;
    struct map numbers; // (text of the name, text of the file) -> frame
    uint32_t *starts;   // [location]: which of `frames` is its innermost one
    uint32_t *frames;   // numbers in the file
    size_t frame_count, frame_capacity;
    uint32_t *way; // nodes of the present stack, leaf first
    size_t way_capacity;
};

// --- frames: speedscope takes each number for a function of its own ---

static int64_t start_line(const struct plain_profile *profile, uint32_t location, size_t number)
{
    const struct plain_location *at = &profile->code.locations[location];
    if (!at->count)
        return 0;
    return profile->code.functions[profile->code.lines[at->first + number].function].start_line;
}

static void put_frame(struct json *json, const struct plain_frame *frame, int64_t line)
{
    const char *file = *frame->file ? frame->file : frame->module;
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "name", *frame->name ? frame->name : "[unknown]");
    if (*file)
        json_text(json, "file", file);
    if (line > 0)
        json_number(json, "line", line);
    json_end(json, '{');
}

static void put_location(struct speedscope *scope, uint32_t location)
{
    scope->starts[location] = (uint32_t)scope->frame_count;
    for (size_t i = 0; i < plain_frame_count(scope->profile, location); i++) {
        struct plain_frame frame = plain_frame(scope->profile, location, i);
        uint32_t file = *frame.file ? frame.file_text : frame.module_text;
        size_t known = scope->numbers.count;
        ARRAY_RESERVE(scope->frames, scope->frame_count, scope->frame_capacity);
        scope->frames[scope->frame_count++] =
            map_number(&scope->numbers, (uint64_t)frame.name_text << 32 | file);
        if (scope->numbers.count > known)
            put_frame(&scope->trace.json, &frame, start_line(scope->profile, location, i));
        trace_json_some(&scope->trace);
    }
}

static void put_frames(struct speedscope *scope)
{
    size_t count = scope->profile->code.location_count;
    struct json *json = &scope->trace.json;
    scope->starts = xcalloc(count + 1, sizeof *scope->starts);
    json_begin(json, "shared", '{');
    json_begin(json, "frames", '[');
    for (uint32_t i = 0; i < count; i++)
        put_location(scope, i);
    json_end(json, '[');
    json_end(json, '{');
}

// --- samples ---

static void put_stack(struct speedscope *scope, uint32_t stack)
{
    const struct plain_node *nodes = scope->profile->stacks.nodes;
    struct json *json = &scope->trace.json;
    size_t count = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent) {
        ARRAY_RESERVE(scope->way, count, scope->way_capacity);
        scope->way[count++] = at;
    }
    json_line(json);
    json_begin(json, NULL, '[');
    while (count-- > 0) {
        uint32_t location = nodes[scope->way[count]].location;
        for (size_t i = plain_frame_count(scope->profile, location); i-- > 0;)
            json_number(json, NULL, scope->frames[scope->starts[location] + i]);
    }
    json_end(json, '[');
    trace_json_some(&scope->trace);
}

static int64_t value_of(const struct speedscope *scope, size_t place)
{
    uint32_t sample = scope->order.samples[place];
    int64_t value = plain_values(scope->profile, sample)[scope->measure.main];
    return value > 0 ? value : 0;
}

static const char *unit_of(const struct measure *measure)
{
    static const char *const known[] = {"nanoseconds", "microseconds", "milliseconds", "seconds",
                                        "bytes"};
    for (size_t i = 0; i < ARRAY_LENGTH(known); i++)
        if (strcmp(measure->unit, known[i]) == 0)
            return known[i];
    return "none";
}

static void put_name(struct json *json, const struct plain_profile *profile, uint32_t labels)
{
    const struct plain_label *name = plain_label(profile, labels, "thread");
    const struct plain_label *tid = plain_label(profile, labels, "tid");
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, name ? plain_string(profile, name->text) : "all threads");
    if (tid)
        buf_printf(&text, " (%lld)", (long long)tid->number);
    json_text(json, "name", text.data);
}

// Writes the samples of a thread, which stand from `from` on, and returns where the next begin.
static size_t put_thread(struct speedscope *scope, size_t from, uint32_t thread)
{
    struct json *json = &scope->trace.json;
    size_t count = scope->profile->samples.count, until = from;
    int64_t total = 0;
    while (until < count && scope->order.threads[scope->order.samples[until]] == thread)
        total += value_of(scope, until++);
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "type", "sampled");
    put_name(json, scope->profile, scope->order.labels[thread]);
    json_text(json, "unit", unit_of(&scope->measure));
    json_number(json, "startValue", 0);
    json_number(json, "endValue", total);
    json_begin(json, "samples", '[');
    for (size_t i = from; i < until; i++)
        if (value_of(scope, i))
            put_stack(scope, scope->profile->samples.list[scope->order.samples[i]].stack);
    json_end(json, '[');
    json_begin(json, "weights", '[');
    for (size_t i = from; i < until; i++)
        if (value_of(scope, i))
            json_number(json, NULL, value_of(scope, i));
    json_end(json, '[');
    json_end(json, '{');
    trace_json_some(&scope->trace);
    return until;
}

enum rc speedscope_write(const struct writing *writing, FILE *out, struct err *err)
{
    struct speedscope scope = {.profile = writing->profile,
                               .measure = measure_of(writing->profile)};
    struct json *json = &scope.trace.json;
    size_t at = 0;
    plain_order_init(&scope.order, scope.profile);
    trace_json_init(&scope.trace, out, err);
    json_begin(json, NULL, '{');
    json_text(json, "$schema", SCHEMA);
    json_text(json, "exporter", "ptprof");
    json_text(json, "name", scope.measure.type);
    put_frames(&scope);
    json_begin(json, "profiles", '[');
    for (uint32_t i = 0; i < scope.order.thread_count; i++)
        at = put_thread(&scope, at, i);
    json_end(json, '[');
    json_end(json, '{');
    buf_putc(json->out, '\n');
    map_fini(&scope.numbers);
    plain_order_fini(&scope.order);
    free(scope.starts);
    free(scope.frames);
    free(scope.way);
    return trace_json_fini(&scope.trace);
}
