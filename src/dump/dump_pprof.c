// SPDX-License-Identifier: MIT
#include "dump/dump_pprof.h"

#include <string.h>

#include "base/mem.h"
#include "output/report.h"

#define NODES_MAX (16u << 20) // more nodes than any process has frames

static uint32_t stack_of(struct profile *profile, const struct dump_thread *thread,
                         uint32_t truncated)
{
    AUTO_FREE uint32_t *locations = xcalloc(thread->frame_count + 1, sizeof *locations);
    size_t count = 0;
    for (size_t i = 0; i < thread->frame_count; i++)
        locations[count++] = profile_location(profile, thread->frames[i].mapping,
                                              thread->frames[i].offset);
    if (!count || thread->end != UNWIND_BOTTOM)
        locations[count++] = profile_location(profile, truncated, thread->end);
    return profile_stack(profile, locations, count);
}

static void add_threads(struct profile *profile, const struct dump *dump, uint32_t truncated)
{
    for (size_t i = 0; i < dump->count; i++) {
        const struct dump_thread *thread = &dump->threads[i];
        if (!thread->wanted)
            continue;
        uint32_t number =
            profile_thread_add(profile, dump->pid, thread->tid, thread->comm, dump->comm);
        uint32_t stack = stack_of(profile, thread, truncated);
        profile_add(profile, profile_value_at(profile, stack, number, STATE_CPU), 1, 0);
    }
}

enum rc dump_pprof(const struct dump *dump, struct modules *modules, struct symbolizer *symbolizer,
                   FILE *out, struct err *err)
{
    const struct mapping *truncated = modules_special(modules, MODULE_SPECIAL, "[truncated]");
    struct run_process process = {.pid = dump->pid};
    struct run run = {
        .type = PROFILE_THREADS,
        .start_wall = dump->wall,
        .counts[COUNTER_SAMPLES] = dump->count,
        .counts[COUNTER_STOPS] = dump->held,
        .counts[COUNTER_REPAIRED] = dump->repaired,
        .counts[COUNTER_HELD_MAX] = dump->held_max,
        .processes = &process,
        .process_count = 1,
    };
    memcpy(process.comm, dump->comm, sizeof process.comm);
    struct profile *profile = profile_new(NODES_MAX);
    add_threads(profile, dump, truncated->id);
    struct report report = {
        .profile = profile, .modules = modules, .symbolizer = symbolizer, .run = &run};
    enum rc rc = report_write(&report, writer_by_name("pprof"), out, err);
    profile_free(profile);
    return rc;
}
