// SPDX-License-Identifier: MIT
// Firefox Profiler's processed profiles (JSON), in version 60 of the format: its viewers upgrade
// older versions when they load them, and Perfetto reads this one, which it knows by the first key.
// The file has columns instead of rows:
//   "shared"   texts, stacks and code, of all threads
//   "samples"  of a thread: each run, from its beginning on, weighs the CPU time that it stands for
//              ("tracing-ms"; trace_weight). A sample without a stack ends a run; without it the
//              graph of the thread's activity would go on until the next one. "threadCPUDelta" is
//              the CPU time since the sample before
//   "markers"  of a thread: all its intervals, in a row for each state, with what a blocked thread
//              waited for, where, and who woke it
// Times are in milliseconds.
#include "output/trace_firefox.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/formats.h"

#define VERSION 60
#define GECKO_VERSION 31 // of the profiles that processed ones are made of
#define PHASE_INTERVAL 1 // of a marker

struct firefox_event {
    const struct timeline_event *whole;
    int64_t time, end; // of what does not overlap the one before it
    int64_t weight;    // CPU time that it stands for
};

struct firefox_sample {
    const struct firefox_event *event; // a run
    bool end;    // of it, instead of its beginning
    int64_t ran; // since the sample before, ns
};

struct trace_firefox {
    const struct timeline *timeline;
    struct trace_thread *threads;
    int64_t origin, end;
    struct firefox_code code;
    struct firefox_event *events; // thread by thread
    size_t *starts; // [thread]: where it begins there; one more is the end
    const struct firefox_event *own; // of the thread that is written
    struct firefox_sample *samples; // of the same
    size_t sample_count, sample_capacity;
    struct trace_json trace;
};

static void put_ms(struct json *json, const char *key, int64_t ns)
{
    json_decimal(json, key, (double)ns / NS_PER_MS, 6);
}

// An event of the thread that is written.
static const struct firefox_event *event_at(const void *table, size_t row)
{
    return &((const struct trace_firefox *)table)->own[row];
}

// --- what is said of the whole ---

static void put_categories(struct json *json)
{
    static const struct {
        const char *name, *color;
    } categories[FIREFOX_CATEGORIES] = {
        [FIREFOX_OTHER] = {"Other", "grey"},
        [FIREFOX_RUNNING] = {"Running", "green"},
        [FIREFOX_RUNNABLE] = {"Runnable", "yellow"},
        [FIREFOX_BLOCKED] = {"Blocked", "red"},
        [FIREFOX_KERNEL] = {"Kernel", "orange"},
    };
    json_begin(json, "categories", '[');
    for (size_t i = 0; i < FIREFOX_CATEGORIES; i++) {
        json_begin(json, NULL, '{');
        json_text(json, "name", categories[i].name);
        json_text(json, "color", categories[i].color);
        json_begin(json, "subcategories", '[');
        json_text(json, NULL, "Other");
        json_end(json, '[');
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_fields(struct json *json)
{
    static const char *const fields[][3] = {
        {"wait", "Waits for", "unique-string"},
        {"lock", "Lock", "unique-string"},
        {"waker", "Woken by", "tid"},
    };
    json_begin(json, "fields", '[');
    for (size_t i = 0; i < ARRAY_LENGTH(fields); i++) {
        json_begin(json, NULL, '{');
        json_text(json, "key", fields[i][0]);
        json_text(json, "label", fields[i][1]);
        json_text(json, "format", fields[i][2]);
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_schemas(struct json *json)
{
    static const char *const places[] = {"marker-chart", "marker-table", "timeline-overview"};
    json_begin(json, "markerSchema", '[');
    for (enum profile_state state = STATE_RUNNING; state <= STATE_BLOCKED; state++) {
        json_line(json);
        json_begin(json, NULL, '{');
        json_text(json, "name", trace_states[state]);
        json_begin(json, "display", '[');
        for (size_t i = 0; i < ARRAY_LENGTH(places); i++)
            json_text(json, NULL, places[i]);
        json_end(json, '[');
        if (state == STATE_BLOCKED) {
            json_text(json, "chartLabel", "{marker.data.wait}");
            json_text(json, "tableLabel", "{marker.data.wait} {marker.data.lock}");
        }
        put_fields(json);
        json_end(json, '{');
    }
    json_end(json, '[');
}

static void put_entry(struct json *json, const char *label, const char *value)
{
    json_begin(json, NULL, '{');
    json_text(json, "label", label);
    json_text(json, "format", "string");
    json_text(json, "value", value);
    json_end(json, '{');
}

// These lines are shown in the viewer's panel of the profile.
static void put_facts(struct json *json, const struct timeline *timeline)
{
    const struct plain_profile *profile = timeline->profile;
    json_line(json);
    json_begin(json, "extra", '[');
    json_begin(json, NULL, '{');
    json_text(json, "label", "ptprof");
    json_begin(json, "entries", '[');
    put_entry(json, "Accuracy", trace_accuracy(timeline));
    for (size_t i = 0; i < profile->comment_count; i++)
        put_entry(json, "Comment", plain_string(profile, profile->comments[i]));
    json_end(json, '[');
    json_end(json, '{');
    json_end(json, '[');
}

static void put_meta(struct trace_firefox *firefox)
{
    struct json *json = &firefox->trace.json;
    json_begin(json, "meta", '{');
    json_number(json, "preprocessedProfileVersion", VERSION);
    json_number(json, "version", GECKO_VERSION);
    json_text(json, "product", "ptprof");
    json_number(json, "interval", 1);
    json_number(json, "startTime",
                (firefox->timeline->profile->time + firefox->origin) / NS_PER_MS);
    json_number(json, "processType", 0);
    json_number(json, "stackwalk", 1);
    json_bool(json, "debug", false);
    json_bool(json, "symbolicated", true);
    json_bool(json, "usesOnlyOneStackType", true);
    json_begin(json, "sampleUnits", '{');
    json_text(json, "time", "ms");
    json_text(json, "eventDelay", "ms");
    json_text(json, "threadCPUDelta", "ns");
    json_end(json, '{');
    json_line(json);
    put_categories(json);
    put_schemas(json);
    put_facts(json, firefox->timeline);
    json_end(json, '{');
}

// --- samples ---

static void add_sample(struct trace_firefox *firefox, struct firefox_sample sample)
{
    ARRAY_RESERVE(firefox->samples, firefox->sample_count, firefox->sample_capacity);
    firefox->samples[firefox->sample_count++] = sample;
}

// The beginning of each run, and its end if the next one does not begin there.
static void choose_samples(struct trace_firefox *firefox, size_t count)
{
    int64_t ran = 0;
    firefox->sample_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct firefox_event *event = event_at(firefox, i);
        const struct firefox_event *next = i + 1 < count ? event_at(firefox, i + 1) : NULL;
        if (!trace_is_running(event->whole))
            continue;
        add_sample(firefox, (struct firefox_sample){event, false, ran});
        ran = event->end - event->time;
        if (next && trace_is_running(next->whole) && next->time == event->end)
            continue;
        add_sample(firefox, (struct firefox_sample){event, true, ran});
        ran = 0;
    }
}

static const struct firefox_sample *sample_at(const void *table, size_t row)
{
    return &((const struct trace_firefox *)table)->samples[row];
}

static void put_sample_stack(struct json *json, const void *table, size_t row)
{
    const struct firefox_sample *sample = sample_at(table, row);
    const uint32_t *leaves = ((const struct trace_firefox *)table)->code.leaves;
    if (sample->end)
        json_null(json, NULL);
    else
        json_count(json, NULL, leaves[sample->event->whole->stack]);
}

static void put_sample_time(struct json *json, const void *table, size_t row)
{
    const struct firefox_sample *sample = sample_at(table, row);
    int64_t time = sample->end ? sample->event->end : sample->event->time;
    put_ms(json, NULL, time - ((const struct trace_firefox *)table)->origin);
}

static void put_weight(struct json *json, const void *table, size_t row)
{
    const struct firefox_sample *sample = sample_at(table, row);
    put_ms(json, NULL, sample->end ? 0 : sample->event->weight);
}

static void put_ran(struct json *json, const void *table, size_t row)
{
    json_number(json, NULL, sample_at(table, row)->ran);
}

// --- markers ---

static void put_state(struct json *json, const void *table, size_t row)
{
    const struct firefox_code *code = &((const struct trace_firefox *)table)->code;
    json_count(json, NULL, trace_firefox_state(code, event_at(table, row)->whole->state));
}

static void put_start(struct json *json, const void *table, size_t row)
{
    put_ms(json, NULL, event_at(table, row)->time - ((const struct trace_firefox *)table)->origin);
}

static void put_end(struct json *json, const void *table, size_t row)
{
    put_ms(json, NULL, event_at(table, row)->end - ((const struct trace_firefox *)table)->origin);
}

static void put_phase(struct json *json, const void *table, size_t row)
{
    (void)table, (void)row;
    json_number(json, NULL, PHASE_INTERVAL);
}

static void put_category(struct json *json, const void *table, size_t row)
{
    static const enum firefox_category of[] = {
        [STATE_CPU] = FIREFOX_RUNNING,
        [STATE_RUNNING] = FIREFOX_RUNNING,
        [STATE_QUEUED] = FIREFOX_RUNNABLE,
        [STATE_BLOCKED] = FIREFOX_BLOCKED,
    };
    json_number(json, NULL, of[event_at(table, row)->whole->state]);
}

static void put_text(const struct trace_firefox *firefox, struct json *json,
                     const struct timeline_event *event, const char *key)
{
    uint32_t text = trace_label(firefox->timeline, event->labels, key);
    if (text)
        json_count(json, key, text);
}

static void put_data(struct json *json, const void *table, size_t row)
{
    const struct trace_firefox *firefox = table;
    const struct timeline_event *event = event_at(table, row)->whole;
    json_begin(json, NULL, '{');
    json_text(json, "type", trace_states[event->state]);
    put_text(firefox, json, event, "wait");
    put_text(firefox, json, event, "lock");
    if (event->woken_by != TIMELINE_NONE)
        json_number(json, "waker", firefox->threads[event->woken_by].tid);
    if (event->state == STATE_BLOCKED && event->stack) {
        json_begin(json, "cause", '{');
        json_count(json, "stack", firefox->code.leaves[event->stack]);
        json_end(json, '{');
    }
    json_end(json, '{');
}

// --- threads ---

static void put_tables(struct trace_firefox *firefox, size_t count)
{
    static const struct firefox_column samples[] = {
        {"stack", put_sample_stack}, {"time", put_sample_time}, {"weight", put_weight},
        {"threadCPUDelta", put_ran}};
    static const struct firefox_column markers[] = {
        {"name", put_state}, {"startTime", put_start}, {"endTime", put_end}, {"phase", put_phase},
        {"category", put_category}, {"data", put_data}};
    struct json *json = &firefox->trace.json;
    choose_samples(firefox, count);
    json_line(json);
    json_begin(json, "samples", '{');
    json_text(json, "weightType", "tracing-ms");
    trace_firefox_columns(&firefox->trace, samples, ARRAY_LENGTH(samples), firefox,
                          firefox->sample_count);
    json_end(json, '{');
    json_line(json);
    json_begin(json, "markers", '{');
    trace_firefox_columns(&firefox->trace, markers, ARRAY_LENGTH(markers), firefox, count);
    json_end(json, '{');
}

// A thread whose events end before those of the others has ended.
static void put_life(struct trace_firefox *firefox, size_t count)
{
    struct json *json = &firefox->trace.json;
    const struct firefox_event *last = count ? event_at(firefox, count - 1) : NULL;
    put_ms(json, "registerTime", count ? event_at(firefox, 0)->time - firefox->origin : 0);
    if (last && last->end < firefox->end)
        put_ms(json, "unregisterTime", last->end - firefox->origin);
    else
        json_null(json, "unregisterTime");
}

static void put_thread(struct trace_firefox *firefox, size_t number)
{
    struct json *json = &firefox->trace.json;
    const struct trace_thread *thread = &firefox->threads[number];
    size_t count = firefox->starts[number + 1] - firefox->starts[number];
    AUTO_FREE char *pid = xasprintf("%d", (int)thread->pid);
    firefox->own = firefox->events + firefox->starts[number];
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "name", thread->name);
    json_text(json, "processName", thread->process);
    json_text(json, "pid", pid);
    json_number(json, "tid", thread->tid);
    json_bool(json, "isMainThread", thread->pid == thread->tid);
    json_text(json, "processType", "default");
    json_number(json, "processStartupTime", 0);
    json_null(json, "processShutdownTime");
    put_life(firefox, count);
    json_begin(json, "pausedRanges", '[');
    json_end(json, '[');
    put_tables(firefox, count);
    json_end(json, '{');
}

static void order_events(struct trace_firefox *firefox)
{
    const struct timeline *timeline = firefox->timeline;
    AUTO_FREE int64_t *ends = trace_ends(timeline);
    AUTO_FREE struct trace_share *shares = trace_shares(timeline);
    size_t *starts = xcalloc(timeline->thread_count + 2, sizeof *starts);
    firefox->events = xcalloc(timeline->event_count + 1, sizeof *firefox->events);
    for (size_t i = 0; i < timeline->event_count; i++)
        starts[timeline->events[i].thread + 2]++;
    for (size_t i = 2; i < timeline->thread_count + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        struct timeline_event cut = trace_cut(ends, event);
        int64_t end = cut.time + cut.duration;
        firefox->events[starts[event->thread + 1]++] =
            (struct firefox_event){event, cut.time, end, trace_weight(shares, &cut)};
        firefox->end = end > firefox->end ? end : firefox->end;
    }
    firefox->starts = starts;
}

enum rc trace_firefox_write(const struct timeline *timeline, FILE *out, struct err *err)
{
    struct trace_firefox firefox = {
        .timeline = timeline,
        .threads = trace_threads(timeline),
        .origin = trace_origin(timeline),
    };
    struct json *json = &firefox.trace.json;
    trace_json_init(&firefox.trace, out, err);
    trace_firefox_code_init(&firefox.code, timeline->profile);
    order_events(&firefox);
    json_begin(json, NULL, '{');
    put_meta(&firefox);
    trace_firefox_libraries(&firefox.code, json);
    trace_firefox_shared(&firefox.code, &firefox.trace);
    json_line(json);
    json_begin(json, "threads", '[');
    for (size_t i = 0; i < timeline->thread_count; i++)
        put_thread(&firefox, i);
    json_end(json, '[');
    json_end(json, '{');
    buf_putc(json->out, '\n');
    trace_firefox_code_fini(&firefox.code);
    free(firefox.samples);
    free(firefox.events);
    free(firefox.starts);
    free(firefox.threads);
    return trace_json_fini(&firefox.trace);
}
