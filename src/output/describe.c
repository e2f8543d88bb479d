// SPDX-License-Identifier: MIT
#include "output/describe.h"

#include <inttypes.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"

#define TARGETS_SHOWN 4

void describe_process(struct buf *out, const struct run_process *process)
{
    buf_printf(out, "%d", (int)process->pid);
    if (!*process->comm) // the process ended before its name could be read
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

static void put_duration(struct buf *out, const char *before, int64_t ns, const char *after)
{
    char text[FIGURES_MOST];
    buf_printf(out, "%s%s%s", before, figures_three(ns, text), after);
}

static void put_rate(struct buf *out, const struct run *run)
{
    buf_printf(out, "rate: asked for %.4g Hz, achieved %.4g Hz%s; %" PRIu64 " rounds, %.1f%% late",
               run->rate, run->achieved,
               run->counts[COUNTER_RATE_LOWERED] ? " (lowered by the stop budget)" : "",
               run->counts[COUNTER_ROUNDS],
               figures_percent(run->counts[COUNTER_LATE], run->counts[COUNTER_ROUNDS]));
    buf_printf(out, "; scheduled %s\n",
               run->counts[COUNTER_REALTIME]      ? "with real-time priority"
               : run->counts[COUNTER_SHORT_SLICE] ? "with a short time slice"
                                                  : "like any other process");
}

static void put_samples(struct buf *out, const struct run *run, uint64_t folded)
{
    const uint64_t *counts = run->counts;
    const struct {
        uint64_t count;
        const char *what;
    } parts[] = {
        {counts[COUNTER_FAILED], "failed"},
        {counts[COUNTER_QUEUED], "met a thread that waited for a CPU"},
        {counts[COUNTER_DROPPED], "dropped"},
        {counts[COUNTER_CUT], "cut before the root"},
        {counts[COUNTER_FRAME_POINTERS], "in part by frame pointers"},
        {counts[COUNTER_UNRESOLVED], "without a name"},
        {folded, "folded"},
    };
    buf_printf(out, "samples: %" PRIu64 " from %" PRIu64 " stops",
               counts[COUNTER_SAMPLES] - counts[COUNTER_ASLEEP], counts[COUNTER_STOPS]);
    if (profile_type_by_state(&profile_types[run->type]))
        buf_printf(out, ", %" PRIu64 " of threads that slept, not stopped", counts[COUNTER_ASLEEP]);
    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        buf_printf(out, "%s%" PRIu64 " %s", i ? ", " : "; ", parts[i].count, parts[i].what);
    buf_putc(out, '\n');
}

void describe_states(struct buf *out, struct cost wall)
{
    int64_t ns = cost_ns(wall);
    buf_printf(out, "running %.1f%%  queued %.1f%%  blocked %.1f%%",
               figures_percent(wall.cpu_ns, ns), figures_percent(wall.queued_ns, ns),
               figures_percent(wall.blocked_ns, ns));
}

static void put_wall(struct buf *out, struct cost all)
{
    put_duration(out, "wall: ", cost_ns(all), " of all threads together, ");
    describe_states(out, all);
    buf_putc(out, '\n');
}

static void put_held(struct buf *out, const struct run *run)
{
    static const char *const after[] = {" median, ", " p99, ", " worst, ", " in all; "};
    for (size_t i = 0; i < ARRAY_LENGTH(after); i++)
        put_duration(out, i ? "" : "held: ", (int64_t)run->counts[COUNTER_HELD_P50 + i], after[i]);
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
        {run->counts[COUNTER_REPAIRED], "interrupted system calls repaired"},
        {run->counts[COUNTER_RESTARTS], "samplers replaced by the watchdog"},
        {run->counts[COUNTER_STUCK] != 0, "samplers that do not end"},
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
    put_duration(out, "cpu: ", (int64_t)run->counts[COUNTER_CPU_NS], " charged by the kernel, ");
    put_duration(out, "", (int64_t)run->counts[COUNTER_UNATTRIBUTED_NS], " of it unattributed");
    buf_printf(out, "; %" PRIu64 " of %" PRIu64 " threads sampled\n",
               run->counts[COUNTER_THREADS_SAMPLED], run->counts[COUNTER_THREADS_SEEN]);
    if (profile_type_by_state(&profile_types[run->type]))
        put_wall(out, all);
    put_end(out, run);
}

static void put_ticks(struct buf *out, const struct run_trace *trace)
{
    AUTO_BUF struct buf names = {0};
    uint64_t without = trace->threads - trace->exact;
    if (!trace->exact) {
        buf_puts(out, "by samples and schedstat: times are true, but edges are only as good as the "
                      "samples, short waits lack, and CPUs are not known");
        if (trace->refused)
            buf_printf(out, " (perf_event_open: %s)", strerror(trace->refused));
        buf_putc(out, '\n');
        return;
    }
    buf_printf(out, "by the kernel's records of switches of %" PRIu64 " threads\n", trace->exact);
    if (!without)
        return;
    buf_printf(out, "%" PRIu64 " threads without such records, by samples and schedstat", without);
    escape_text(&names, trace->unlisted);
    if (trace->without)
        buf_printf(out, ": descriptors are short (ulimit -n) for %" PRIu64 " (%s%s)",
                   trace->without, names.data, trace->without > 1 ? ", ..." : "");
    buf_putc(out, '\n');
}

void describe_trace(struct buf *out, const struct run_trace *trace)
{
    put_ticks(out, trace);
    if (trace->lost)
        buf_printf(out, "%" PRIu64 " records of switches were lost: we could not keep up\n",
                   trace->lost);
    if (trace->since)
        put_duration(out, "it begins ", trace->since, " after the beginning of the run: what is "
                     "older gave way, as --max-size wants it\n");
}
