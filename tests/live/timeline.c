// SPDX-License-Identifier: MIT
// timeline FORMAT [SEED THREADS CPUS EVENTS]: a timeline in that format on standard output: the
// frozen one, or one at random. "events" is no format of ours: it lists what is in the timeline, as
// lines of tid, state, time, duration, cpu (-1: none), tid of who ended it (0: nobody), depth.
// "silence" makes the timeline and writes nothing.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/fixture_timeline.h"
#include "base/err.h"
#include "output/trace.h"
#include "profile/plain_frame.h"

static long long tid_of(const struct timeline *timeline, uint32_t thread)
{
    if (thread == TIMELINE_NONE)
        return 0;
    return plain_label(timeline->profile, timeline->threads[thread], "tid")->number;
}

static int depth_of(const struct timeline *timeline, uint32_t stack)
{
    const struct plain_node *nodes = timeline->profile->stacks.nodes;
    int depth = 0;
    for (uint32_t at = stack; at; at = nodes[at].parent)
        depth += (int)plain_frame_count(timeline->profile, nodes[at].location);
    return depth;
}

static void list(const struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        printf("%lld %s %lld %lld %d %lld %d\n", tid_of(timeline, event->thread),
               profile_state_names[event->state], (long long)event->time,
               (long long)event->duration, (int)event->cpu,
               tid_of(timeline, event->woken_by), depth_of(timeline, event->stack));
    }
}

static int write_format(const struct timeline *timeline, const char *format)
{
    struct err err = {0};
    const struct writer *writer = NULL;
    for (size_t i = 0; i < trace_writer_count; i++)
        if (strcmp(trace_writers[i].name, format) == 0)
            writer = &trace_writers[i];
    if (!writer) {
        fprintf(stderr, "no format %s\n", format);
        return 2;
    }
    if (writer->write_timeline(timeline, stdout, &err) == RC_OK)
        return 0;
    fprintf(stderr, "%s\n", err.text);
    return 1;
}

int main(int argc, char **argv)
{
    if (argc != 2 && argc != 6)
        return 2;
    int status = 0;
    struct timeline *timeline =
        argc == 2 ? fixture_timeline()
                  : fixture_timeline_random(strtoull(argv[2], NULL, 10),
                                            strtoull(argv[3], NULL, 10),
                                            strtoull(argv[4], NULL, 10),
                                            strtoull(argv[5], NULL, 10));
    if (strcmp(argv[1], "events") == 0)
        list(timeline);
    else if (strcmp(argv[1], "silence") != 0)
        status = write_format(timeline, argv[1]);
    timeline_free(timeline);
    return status;
}
