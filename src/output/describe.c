// SPDX-License-Identifier: MIT
#include "output/describe.h"

#include <inttypes.h>
#include <time.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "profile/query.h"

#define TARGETS_SHOWN 4

void describe_duration(struct buf *out, int64_t ns)
{
    static const struct {
        double ns;
        const char *name;
    } units[] = {{NS_PER_S, "s"}, {NS_PER_MS, "ms"}, {NS_PER_US, "us"}};
    for (size_t i = 0; i < ARRAY_LENGTH(units); i++) {
        double value = (double)ns / units[i].ns;
        // What rounds to 1000 of a unit is 1.00 of the next one.
        if (value < 0.9995)
            continue;
        buf_printf(out, "%.*f%s", value < 9.995 ? 2 : value < 99.95 ? 1 : 0, value, units[i].name);
        return;
    }
    buf_printf(out, "%" PRId64 "ns", ns);
}

void describe_process(struct buf *out, const struct run_process *process)
{
    buf_printf(out, "%d", (int)process->pid);
    if (!*process->comm) // it was gone before it could be read
        return;
    buf_puts(out, " (");
    escape_text(out, process->comm);
    buf_putc(out, ')');
}

void describe_targets(struct buf *out, const struct run *run)
{
    size_t shown = run->process_count < TARGETS_SHOWN ? run->process_count : TARGETS_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        buf_puts(out, i ? ", " : "");
        describe_process(out, &run->processes[i]);
    }
    if (shown < run->process_count)
        buf_printf(out, " and %zu more", run->process_count - shown);
}

void describe_time(struct buf *out, int64_t wall_ns)
{
    time_t seconds = (time_t)(wall_ns / NS_PER_S);
    struct tm utc;
    char text[32] = "";
    if (gmtime_r(&seconds, &utc))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    buf_puts(out, text);
}

static void put_duration(struct buf *out, const char *before, int64_t ns, const char *after)
{
    buf_puts(out, before);
    describe_duration(out, ns);
    buf_puts(out, after);
}

static void put_rate(struct buf *out, const struct run *run)
{
    buf_printf(out, "rate: asked for %.4g Hz, achieved %.4g Hz%s; %" PRIu64 " rounds, %.1f%% late",
               run->rate, run->achieved, run->rate_lowered ? " (lowered by the stop budget)" : "",
               run->rounds, query_percent(run->late, run->rounds));
    buf_printf(out, "; scheduled %s\n",
               run->realtime      ? "with real-time priority"
               : run->short_slice ? "with a short time slice"
                                  : "like any other process");
}

static void put_samples(struct buf *out, const struct run *run, uint64_t folded)
{
    const struct {
        uint64_t count;
        const char *what;
    } parts[] = {
        {run->failed, "failed"},
        {run->queued, "met a thread that waited for a CPU"},
        {run->dropped, "dropped"},
        {run->cut, "cut before the root"},
        {run->frame_pointers, "in part by frame pointers"},
        {run->unresolved, "without a name"},
        {folded, "folded"},
    };
    buf_printf(out, "samples: %" PRIu64 " from %" PRIu64 " stops", run->samples - run->asleep,
               run->stops);
    if (run->type == RUN_WALL)
        buf_printf(out, ", %" PRIu64 " of threads that slept, not stopped", run->asleep);
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        buf_printf(out, "%s%" PRIu64 " %s", i ? ", " : "; ", parts[i].count, parts[i].what);
    buf_putc(out, '\n');
}

void describe_states(struct buf *out, struct cost wall)
{
    uint64_t ns = cost_ns(wall);
    buf_printf(out, "running %.1f%%  queued %.1f%%  blocked %.1f%%",
               query_percent(wall.cpu_ns, ns), query_percent(wall.queued_ns, ns),
               query_percent(wall.blocked_ns, ns));
}

static void put_wall(struct buf *out, struct cost all)
{
    put_duration(out, "wall: ", (int64_t)cost_ns(all), " of all threads together, ");
    describe_states(out, all);
    buf_putc(out, '\n');
}

static void put_held(struct buf *out, const struct run *run)
{
    put_duration(out, "held: ", run->held_p50, " median, ");
    put_duration(out, "", run->held_p99, " p99, ");
    put_duration(out, "", run->held_max, " worst, ");
    put_duration(out, "", run->held_total, " in all; ");
    buf_printf(out, "%.2g%% of the most-held thread's time\n", 100 * run->held_share);
}

static void put_end(struct buf *out, const struct run *run)
{
    static const char *const ends[] = {
        [RUN_DURATION] = "when its time was over",
        [RUN_INTERRUPTED] = "early, when asked to",
        [RUN_TARGET_ENDED] = "with the target",
    };
    unsigned execs = 0;
    size_t ended = 0;
    for (size_t i = 0; i < run->process_count; i++) {
        execs += run->processes[i].execs;
        ended += run->processes[i].ended;
    }
    const struct {
        uint64_t count;
        const char *what;
    } events[] = {
        {ended, "processes ended"},
        {execs, "execs"},
        {run->repaired, "interrupted system calls repaired"},
        {run->restarts, "samplers replaced by the watchdog"},
        {run->stuck != 0, "samplers that do not end"},
    };
    put_duration(out, "end: after ", run->duration, ", ");
    buf_puts(out, ends[run->end]);
    for (size_t i = 0; i < ARRAY_LENGTH(events); i++)
        if (events[i].count)
            buf_printf(out, "; %s: %" PRIu64, events[i].what, events[i].count);
    buf_putc(out, '\n');
}

void describe_run(struct buf *out, const struct run *run, uint64_t folded, struct cost all)
{
    put_rate(out, run);
    put_samples(out, run, folded);
    put_held(out, run);
    put_duration(out, "cpu: ", (int64_t)run->cpu_ns, " charged by the kernel, ");
    put_duration(out, "", (int64_t)run->unattributed_ns, " of it unattributed");
    buf_printf(out, "; %" PRIu64 " of %" PRIu64 " threads sampled\n", run->threads_sampled,
               run->threads_seen);
    if (run->type == RUN_WALL)
        put_wall(out, all);
    put_end(out, run);
}
