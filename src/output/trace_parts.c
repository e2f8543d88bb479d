// SPDX-License-Identifier: MIT
#include "output/trace_parts.h"

#include <limits.h>

#include "base/mem.h"
#include "output/formats.h"

const char *const trace_states[] = {
    [STATE_CPU] = "Running",
    [STATE_RUNNING] = "Running",
    [STATE_QUEUED] = "Runnable",
    [STATE_BLOCKED] = "Blocked",
};

static pid_t number_label(const struct plain_profile *profile, uint32_t set, const char *key)
{
    const struct plain_label *label = plain_label(profile, set, key);
    return label && label->number > 0 && label->number <= INT_MAX ? (pid_t)label->number : 0;
}

struct trace_thread *trace_threads(const struct timeline *timeline)
{
    const struct plain_profile *profile = timeline->profile;
    struct trace_thread *threads = xcalloc(timeline->thread_count + 1, sizeof *threads);
    for (size_t i = 0; i < timeline->thread_count; i++) {
        uint32_t set = timeline->threads[i];
        threads[i] = (struct trace_thread){
            .pid = number_label(profile, set, "pid"),
            .tid = number_label(profile, set, "tid"),
            .name = plain_string(profile, trace_label(timeline, set, "thread")),
            .process = plain_string(profile, trace_label(timeline, set, "comm")),
        };
    }
    return threads;
}

int64_t trace_origin(const struct timeline *timeline)
{
    return timeline->event_count && timeline->events[0].time < 0 ? timeline->events[0].time : 0;
}

int64_t *trace_ends(const struct timeline *timeline)
{
    int64_t *ends = xcalloc(timeline->thread_count + 1, sizeof *ends);
    for (size_t i = 0; i < timeline->thread_count; i++)
        ends[i] = INT64_MIN;
    return ends;
}

struct timeline_event trace_cut(int64_t *ends, const struct timeline_event *event)
{
    struct timeline_event cut = *event;
    int64_t end = event->time + event->duration, *before = &ends[event->thread];
    cut.time = event->time > *before ? event->time : *before;
    cut.duration = end > cut.time ? end - cut.time : 0;
    *before = cut.time + cut.duration;
    return cut;
}

bool trace_is_running(const struct timeline_event *event)
{
    return event->state == STATE_RUNNING || event->state == STATE_CPU;
}

struct trace_share *trace_shares(const struct timeline *timeline)
{
    struct trace_share *shares = xcalloc(timeline->thread_count + 1, sizeof *shares);
    AUTO_FREE int64_t *ends = trace_ends(timeline);
    for (size_t i = 0; i < timeline->event_count; i++) {
        struct timeline_event event = trace_cut(ends, &timeline->events[i]);
        if (!trace_is_running(&event) || !event.duration)
            continue;
        shares[event.thread].known += event.stack != 0;
        shares[event.thread].unknown += event.stack ? 0 : event.duration;
    }
    return shares;
}

int64_t trace_weight(const struct trace_share *shares, const struct timeline_event *event)
{
    const struct trace_share *share = &shares[event->thread];
    if (!event->duration || !share->known)
        return event->duration;
    return event->stack ? event->duration + share->unknown / share->known : 0;
}

const char *trace_accuracy(const struct timeline *timeline)
{
    if (timeline->made_up)
        return "times are made up: a profile has none, so its values lie one behind the other";
    return timeline->exact ? "states change when the kernel switched threads"
                           : "states are what was seen at each look; changes between are missing";
}

uint32_t trace_label(const struct timeline *timeline, uint32_t labels, const char *key)
{
    const struct plain_label *label = plain_label(timeline->profile, labels, key);
    return label ? label->text : 0;
}

void trace_json_init(struct trace_json *trace, FILE *out, struct err *err)
{
    *trace = (struct trace_json){.out = out, .err = err};
    trace->json.out = &trace->text;
}

void trace_json_some(struct trace_json *trace)
{
    if (trace->rc == RC_OK)
        trace->rc = output_some(trace->out, &trace->text, trace->err);
    else
        buf_clear(&trace->text);
}

enum rc trace_json_fini(struct trace_json *trace)
{
    if (trace->rc == RC_OK)
        trace->rc = output_bytes(trace->out, trace->text.data, trace->text.length, trace->err);
    buf_fini(&trace->text);
    return trace->rc;
}
