// SPDX-License-Identifier: MIT
// timeline FORMAT scene > FILE: a timeline of which all is known, as that format of a trace.
// timeline FORMAT odd > FILE: one with names that are hard to write.
// timeline FORMAT switches|damaged|ticks EVENTS THREADS CPUS SEED > FILE: one that chance has made.
// Says on the standard error, as JSON, how many events there are, how much CPU time writing took,
// and the time of each state and wait. FORMAT "events" is none of ours: a line for each event, with
// thread, tid, state, time, duration, cpu (-1: none), thread that ended it (-1: none), wait ("-":
// none) and number of frames.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "output/trace.h"
#include "profile/plain_frame.h"
#include "tests/unit/fixture_odd_timeline.h"
#include "tests/unit/fixture_timeline.h"

static struct timeline *make(int argc, char **argv)
{
    static const char *const kinds[] = {"switches", "damaged", "ticks"};
    if (argc == 3 && strcmp(argv[2], "scene") == 0)
        return fixture_timeline_scene();
    if (argc == 3 && strcmp(argv[2], "odd") == 0)
        return fixture_odd_timeline();
    for (size_t i = 0; argc == 7 && i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(argv[2], kinds[i]) == 0)
            return fixture_timeline_random((enum fixture_timeline)i, strtoul(argv[3], NULL, 10),
                                           (uint32_t)strtoul(argv[4], NULL, 10),
                                           (uint32_t)strtoul(argv[5], NULL, 10),
                                           strtoul(argv[6], NULL, 10));
    return NULL;
}

static const char *name_of(const struct timeline *timeline, const struct timeline_event *event)
{
    const struct plain_label *label = plain_label(timeline->profile, event->labels, "wait");
    if (event->state != STATE_BLOCKED)
        return profile_state_names[event->state];
    return label ? plain_string(timeline->profile, label->text) : "blocked";
}

static int depth_of(const struct timeline *timeline, uint32_t stack)
{
    const struct plain_node *nodes = timeline->profile->stacks.nodes;
    size_t depth = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent)
        depth += plain_frame_count(timeline->profile, nodes[at].location);
    return (int)depth;
}

static enum rc list(const struct timeline *timeline, FILE *out, struct err *err)
{
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        const struct plain_profile *profile = timeline->profile;
        const struct plain_label *wait = plain_label(profile, event->labels, "wait");
        int64_t tid = plain_label(profile, timeline->threads[event->thread], "tid")->number;
        fprintf(out, "%d %" PRId64 " %s %" PRId64 " %" PRId64 " %d %d %s %d\n",
                (int)event->thread, tid, profile_state_names[event->state], event->time,
                event->duration, (int)event->cpu, (int)event->woken_by,
                wait ? plain_string(profile, wait->text) : "-", depth_of(timeline, event->stack));
    }
    return ferror(out) ? err_set(err, RC_IO, "cannot write the events") : RC_OK;
}

static void tell(const struct timeline *timeline, int64_t ns)
{
    struct strtab names;
    int64_t sums[64] = {0};
    strtab_init(&names);
    for (size_t i = 0; i < timeline->event_count; i++)
        sums[strtab_add(&names, name_of(timeline, &timeline->events[i]))] +=
            timeline->events[i].duration;
    fprintf(stderr, "{\"events\": %zu, \"ns\": %" PRId64, timeline->event_count, ns);
    for (uint32_t i = 1; i < names.count; i++)
        fprintf(stderr, ", \"%s\": %" PRId64, strtab_get(&names, i), sums[i]);
    fprintf(stderr, "}\n");
    strtab_fini(&names);
}

int main(int argc, char **argv)
{
    struct err err;
    struct timeline *timeline = make(argc, argv);
    const struct writer listing = {.write_timeline = list};
    const struct writer *writer = timeline && strcmp(argv[1], "events") == 0 ? &listing : NULL;
    for (size_t i = 0; timeline && i < trace_writer_count; i++)
        if (strcmp(trace_writers[i].name, argv[1]) == 0)
            writer = &trace_writers[i];
    if (!writer)
        return 2;
    int64_t began = clock_thread();
    if (writer->write_timeline(timeline, stdout, &err) != RC_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    tell(timeline, clock_thread() - began);
    timeline_free(timeline);
    return 0;
}
