// SPDX-License-Identifier: MIT
#include "commands/summary.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "commands/symbol_report.h"
#include "commands/type_table.h"
#include "output/describe.h"
#include "profile/totals.h"
#include "symbol/reader/demangle.h"

#define LATE_NOTE 0.5 // percent
#define LATE_WARNING 10.0
#define WAITED_NOTE 20.0
#define FAILED_WARNING 1.0
#define CUT_WARNING 5.0
#define UNRESOLVED_WARNING 20.0
#define UNATTRIBUTED_WARNING 10.0
#define ELSEWHERE_NOTE 1.0
#define ELSEWHERE_WARNING 10.0
#define UNFOUND_NOTE 1.0
#define FEW_SAMPLES 100
#define FEW_DUE 20 // of which a tenth may be missing by chance
#define FEW_PROCESSES 8
#define TOP 3 // functions

static double share(const struct run *run, enum counter part, enum counter whole)
{
    return figures_percent(run->counts[part], run->counts[whole]);
}

static const char *time_of(const struct run *run, enum counter ns, char text[FIGURES_MOST])
{
    return figures_duration((int64_t)run->counts[ns], text);
}

static void put_head(struct buf *out, const struct summary *summary)
{
    const struct run *run = summary->report->run;
    uint64_t sampled = run->counts[COUNTER_THREADS_SAMPLED];
    uint64_t seen = run->counts[COUNTER_THREADS_SEEN];
    char length[FIGURES_MOST], cpu[FIGURES_MOST];
    buf_printf(out, "ptprof: %s%s%s, %" PRIu64 " rounds, %" PRIu64 " samples of %" PRIu64
                    " of %" PRIu64 " threads",
               summary->color ? "\033[1m" : "", figures_duration(run->duration, length),
               summary->color ? "\033[0m" : "",
               run->counts[COUNTER_ROUNDS], run->counts[COUNTER_SAMPLES], sampled, seen);
    if (run->type == PROFILE_CPU && sampled < seen)
        buf_puts(out, " (all: --idle)");
    buf_printf(out, ", %s of CPU time\n", time_of(run, COUNTER_CPU_NS, cpu));
}

static void put_wall(struct buf *out, const struct measure *measure, struct cost all)
{
    char text[FIGURES_MOST];
    if (!measure->wall)
        return;
    buf_printf(out, "  wall      %s of all threads together: ",
               figures_duration((int64_t)cost_ns(all), text));
    describe_states(out, all);
    buf_putc(out, '\n');
}

static void put_held(struct buf *out, const struct summary *summary)
{
    const struct run *run = summary->report->run;
    char p50[FIGURES_MOST], p99[FIGURES_MOST], worst[FIGURES_MOST];
    uint64_t stops = run->counts[COUNTER_STOPS], cpu_ns = run->counts[COUNTER_CPU_NS];
    if (!stops) {
        buf_puts(out, "  held      nothing was stopped\n");
        return;
    }
    buf_printf(out, "  held      %.2f%% of the most-held thread's time; per stop %s median, "
                    "%s p99, %s worst",
               100 * run->held_share, time_of(run, COUNTER_HELD_P50, p50),
               time_of(run, COUNTER_HELD_P99, p99), time_of(run, COUNTER_HELD_MAX, worst));
    if (run->counts[COUNTER_DISPLACED_TOTAL])
        buf_printf(out, "; displaced from its CPU %s median, %s p99",
                   time_of(run, COUNTER_DISPLACED_P50, p50),
                   time_of(run, COUNTER_DISPLACED_P99, p99));
    if (run->counts[COUNTER_RATE_LOWERED])
        buf_printf(out, "; to keep --max-stop, looked at %.0f times per second of CPU time",
                   cpu_ns ? (double)stops * NS_PER_S / (double)cpu_ns : 0);
    buf_putc(out, '\n');
}

static void put_quality(struct buf *out, const struct summary *summary)
{
    const struct run *run = summary->report->run;
    double unattributed = share(run, COUNTER_UNATTRIBUTED_NS, COUNTER_CPU_NS);
    double pooled = share(run, COUNTER_POOLED_NS, COUNTER_CPU_NS);
    buf_printf(out, "  quality   %.1f of %g Hz   late %.1f%%   failed %.1f%%   cut %.1f%%",
               run->achieved, run->rate, share(run, COUNTER_LATE, COUNTER_ROUNDS),
               share(run, COUNTER_FAILED, COUNTER_STOPS),
               share(run, COUNTER_CUT, COUNTER_SAMPLES));
    if (run->counts[COUNTER_CUT] && summary->worst_cut) {
        buf_puts(out, " (mostly ");
        escape_text(out, summary->worst_cut);
        buf_puts(out, ")");
    }
    if (run->counts[COUNTER_FRAME_POINTERS])
        buf_printf(out, "   frame pointers %.1f%%",
                   share(run, COUNTER_FRAME_POINTERS, COUNTER_SAMPLES));
    buf_printf(out, "   unresolved %.1f%%", share(run, COUNTER_UNRESOLVED, COUNTER_SAMPLES));
    if (pooled >= 0.05)
        buf_printf(out, "   pooled %.1f%%", pooled);
    if (unattributed >= 0.05)
        buf_printf(out, "   unattributed %.1f%%", unattributed);
    buf_putc(out, '\n');
}

static void put_top(struct buf *out, const struct totals *totals)
{
    for (size_t i = 0; i < totals->count && cost_ns(totals->rows[i].self); i++) {
        buf_puts(out, i ? "" : "  top       ");
        buf_printf(out, "%s%.1f%% ", i ? "   " : "",
                   figures_percent(cost_ns(totals->rows[i].self), cost_ns(totals->all)));
        AUTO_FREE char *folded = demangle_fold(totals->rows[i].function);
        escape_text(out, folded);
        buf_puts(out, totals->rows[i].inlined ? " (inlined)" : "");
    }
    buf_puts(out, totals->count && cost_ns(totals->rows[0].self) ? "\n" : "");
}

static void put_hottest(struct buf *out, const struct plain_profile *profile)
{
    struct measure measure = measure_of(profile);
    struct totals totals;
    totals_init(&totals, &measure, TOP);
    put_wall(out, &measure, totals.all);
    put_top(out, &totals);
    totals_fini(&totals);
}

static void put_trace(struct buf *out, const struct run_trace *trace)
{
    AUTO_BUF struct buf text = {0};
    describe_trace(&text, trace);
    char *rest = text.data;
    for (char *line; (line = strsep(&rest, "\n")) && *line;)
        buf_printf(out, "  trace     %s\n", line);
}

static void put_profile(struct buf *out, const struct summary *summary, enum profile_kind kind)
{
    struct run run = *summary->report->run;
    struct report report = *summary->report;
    run.type = kind;
    report.run = &run;
    if (kind == PROFILE_TRACE) {
        put_trace(out, &run.trace);
        return;
    }
    struct plain_profile *profile = report_profile(&report);
    if (kind == PROFILE_CPU || kind == PROFILE_WALL)
        put_hottest(out, profile);
    else
        type_table_put(out, kind, profile);
    plain_free(profile);
}

// Quotes a path for a shell if it has special characters.
static void put_word(struct buf *out, const char *path)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                   "/._+,:@%^=-";
    bool quoted = path[strspn(path, harmless)];
    buf_puts(out, quoted ? "'" : "");
    for (; *path; path++) {
        buf_puts(out, *path == '\'' ? "'\\'" : "");
        buf_putc(out, *path);
    }
    buf_puts(out, quoted ? "'" : "");
}

static void put_file(struct buf *out, const struct attach_output *file)
{
    if (!file->path)
        return;
    AUTO_FREE char *path = escape_text_dup(file->path);
    buf_printf(out, "  wrote     %s (%lld KiB, %s)\n", path, (file->bytes + 1023) / 1024,
               file->writer->name);
}

static void put_next(struct buf *out, const struct attach_output *file)
{
    if (!file->path || !file->writer->opens_with || writer_compresses(file->writer, file->path))
        return;
    AUTO_FREE char *path = escape_text_dup(file->path);
    buf_puts(out, "  next      ");
    for (const char *at = file->writer->opens_with; *at; at++) {
        if (at[0] == '%' && at[1] == 's') {
            put_word(out, path);
            at++;
        } else
            buf_putc(out, *at);
    }
    buf_putc(out, '\n');
}

static void put_process(struct buf *out, const struct run_process *process)
{
    AUTO_BUF struct buf name = {0};
    describe_process(&name, process);
    if (process->execs)
        buf_printf(out, "  note      %s ran exec %u time%s meanwhile\n", name.data, process->execs,
                   process->execs > 1 ? "s" : "");
    if (process->ended)
        buf_printf(out, "  note      %s ended meanwhile\n", name.data);
}

static void put_processes(struct buf *out, const struct run *run)
{
    size_t ended = 0, executed = 0;
    for (size_t i = 0; i < run->process_count; i++) {
        ended += run->processes[i].ended;
        executed += run->processes[i].execs > 0;
        if (run->process_count <= FEW_PROCESSES)
            put_process(out, &run->processes[i]);
    }
    if (run->process_count > FEW_PROCESSES && (ended || executed))
        buf_printf(out, "  note      of %zu processes %zu ended meanwhile, %zu ran exec\n",
                   run->process_count, ended, executed);
}

void summary_alarm(struct buf *out, const struct run *run)
{
    if (run->counts[COUNTER_STUCK])
        buf_printf(out, "  warning   the sampler process %d does not end, not even by SIGKILL: it "
                        "hangs in the kernel or is traced, and may hold a thread until it ends\n",
                   (int)run->counts[COUNTER_STUCK]);
}

static void put_restarts(struct buf *out, const char *what, uint64_t times)
{
    if (times)
        buf_printf(out, "  note      %s was replaced %" PRIu64 " time%s\n", what, times,
                   times > 1 ? "s" : "");
}

static void put_events(struct buf *out, const struct summary *summary)
{
    const struct run *run = summary->report->run;
    const uint64_t *counts = run->counts;
    put_processes(out, run);
    if (counts[COUNTER_REPAIRED])
        buf_printf(out, "  note      system calls that a stop would have made fail, repaired: "
                        "%" PRIu64 "\n", counts[COUNTER_REPAIRED]);
    put_restarts(out, "the sampler", counts[COUNTER_RESTARTS]);
    put_restarts(out, "the process that unwinds", counts[COUNTER_UNWIND_RESTARTS]);
    summary_alarm(out, run);
    if (counts[COUNTER_DROPPED])
        buf_printf(out, "  note      %" PRIu64 " samples were dropped: we could not keep up\n",
                   counts[COUNTER_DROPPED]);
}

static const struct run_process *find_denied(const struct run *run)
{
    for (size_t i = 0; i < run->process_count; i++)
        if (run->processes[i].denied)
            return &run->processes[i];
    return NULL;
}

static void put_refused(struct buf *out, const struct run *run)
{
    const struct run_process *denied = find_denied(run);
    uint64_t refused = run->counts[COUNTER_REFUSED];
    buf_printf(out, "  warning   %.1f%% of the stops were refused",
               figures_percent(refused, refused + run->counts[COUNTER_STOPS]));
    if (run->counts[COUNTER_TRACER])
        buf_printf(out, ": process %d traced the thread", (int)run->counts[COUNTER_TRACER]);
    else if (denied) {
        buf_puts(out, ": ");
        describe_process(out, denied);
        buf_puts(out, " executed a program that may do more than ptprof may");
    }
    buf_putc(out, '\n');
}

// Warns of skid: why samples may show system calls and page faults in place of the code that ran.
static void put_skid(struct buf *out, const struct run *run)
{
    // A stop counts when it is made, and may yet be dropped; a sample is in the profile.
    uint64_t skidded = run->counts[COUNTER_ELSEWHERE];
    uint64_t taken = run->counts[COUNTER_SAMPLES] + run->counts[COUNTER_DROPPED];
    double elsewhere = figures_percent(skidded, taken > skidded ? taken : skidded);
    double unfound = share(run, COUNTER_UNFOUND, COUNTER_ROUNDS);
    if (elsewhere >= ELSEWHERE_NOTE)
        buf_printf(out, "  %s %.1f%% of the samples are of threads that were stopped from "
                        "another CPU: they show too many system calls and page faults%s\n",
                   elsewhere >= ELSEWHERE_WARNING ? "warning  " : "note     ", elsewhere,
                   elsewhere >= ELSEWHERE_WARNING
                       ? " (a CPU that is not ours to use, or real-time threads)" : "");
    if (run->counts[COUNTER_STOPS] && !run->counts[COUNTER_REALTIME] &&
        !run->counts[COUNTER_SHORT_SLICE])
        buf_puts(out, "  note      neither real-time priority (CAP_SYS_NICE) nor a short slice "
                      "(kernel 6.12) could be had: on idle CPUs threads run on to their next "
                      "system call before a sample is taken\n");
    if (unfound >= UNFOUND_NOTE)
        buf_printf(out, "  note      at %.1f%% of the looks more threads had run than could be "
                        "searched for the one that ran there\n", unfound);
    if (!clock_is_fine())
        buf_puts(out, "  warning   high-resolution timers are off in this kernel: samples come "
                      "with its ticks, as does what it does at them\n");
}

// Says why rounds began late, if known. Advice that the user already followed is left out.
static void put_late(struct buf *out, const struct run *run)
{
    double late = share(run, COUNTER_LATE, COUNTER_ROUNDS);
    bool realtime = run->counts[COUNTER_REALTIME];
    bool throttled = run->counts[COUNTER_OWN_THROTTLED_NS];
    const char *why = throttled ? "the CPU quota of ptprof's own control group"
                      : realtime ? "in spite of real-time priority: others have a higher one, "
                                        "or the machine is a guest that was not run"
                                      : "no right to real-time priority";
    bool known = throttled || realtime || !run->counts[COUNTER_SHORT_SLICE];
    if (late > LATE_WARNING)
        buf_printf(out, "  warning   %.0f%% of the rounds began late, so bursts may be seen at "
                        "their ends only: lower --rate%s (%s)\n", late,
                   realtime ? "" : ", or run with the right to real-time priority",
                   known ? why : "a short slice is not enough here");
    else if (late > LATE_NOTE)
        buf_printf(out, "  note      %.1f%% of the rounds began late%s%s%s\n", late,
                   known ? " (" : "", known ? why : "", known ? ")" : "");
}

// The share is of the looks that found a thread of the target.
static void put_waited(struct buf *out, const struct run *run)
{
    uint64_t waited = run->counts[COUNTER_WAITED];
    double percent = figures_percent(waited, waited + run->counts[COUNTER_SAMPLES]);
    if (percent > WAITED_NOTE)
        buf_printf(out, "  note      %.0f%% of the looks came when a thread had ended its turn, "
                        "and do not count: others want the CPUs too (no right to real-time "
                        "priority)\n", percent);
}

static void put_groups(struct buf *out, const struct run *run)
{
    char text[FIGURES_MOST];
    if (run->counts[COUNTER_FROZEN])
        buf_puts(out, "  warning   its control group is frozen: nothing in it runs until that is "
                      "thawed\n");
    if (run->counts[COUNTER_THROTTLED_NS])
        buf_printf(out, "  note      the CPU quota of its control group (cpu.max) kept it from "
                        "running for %s\n", time_of(run, COUNTER_THROTTLED_NS, text));
}

// Says how much CPU time has no sample, and why, if known.
static void put_unattributed(struct buf *out, const struct run *run)
{
    double unattributed = share(run, COUNTER_UNATTRIBUTED_NS, COUNTER_CPU_NS);
    double due = (double)run->counts[COUNTER_CPU_NS] * run->rate / NS_PER_S; // samples
    if (unattributed <= UNATTRIBUTED_WARNING || due < FEW_DUE)
        return;
    if (run->counts[COUNTER_REFUSED] || run->counts[COUNTER_DROPPED])
        buf_printf(out, "  warning   %.0f%% of the CPU time has no sample\n", unattributed);
    else if (run->counts[COUNTER_WORKERS])
        buf_printf(out, "  note      %.0f%% of the CPU time has no sample: %" PRIu64 " threads are "
                        "the kernel's own (io_uring), without user code\n",
                   unattributed, run->counts[COUNTER_WORKERS]);
    else
        buf_printf(out, "  warning   %.0f%% of the CPU time is of threads and processes that ended "
                        "before a sample met them: a higher --rate meets more\n", unattributed);
}

static void put_warnings(struct buf *out, const struct summary *summary)
{
    const struct run *run = summary->report->run;
    uint64_t samples = run->counts[COUNTER_SAMPLES];
    double failed = share(run, COUNTER_FAILED, COUNTER_STOPS);
    double cut = share(run, COUNTER_CUT, COUNTER_SAMPLES);
    double unresolved = share(run, COUNTER_UNRESOLVED, COUNTER_SAMPLES);
    put_late(out, run);
    put_waited(out, run);
    put_groups(out, run);
    if (run->counts[COUNTER_REFUSED])
        put_refused(out, run);
    if (run->counts[COUNTER_LATE_NAMES])
        buf_printf(out, "  note      %" PRIu64 " places got no name in time; --wait-for-names "
                        "waits for them\n", run->counts[COUNTER_LATE_NAMES]);
    put_skid(out, run);
    if (failed >= FAILED_WARNING)
        buf_printf(out, "  warning   %.1f%% of the stops gave no sample\n", failed);
    if (cut > CUT_WARNING)
        buf_printf(out, "  warning   %.0f%% of the stacks do not reach their root\n", cut);
    if (unresolved > UNRESOLVED_WARNING)
        buf_printf(out, "  warning   %.0f%% of the samples have no function name\n", unresolved);
    put_unattributed(out, run);
    if (!samples && !run->counts[COUNTER_CPU_NS] && !run->counts[COUNTER_FROZEN])
        buf_printf(out, "  note      no thread%s ran meanwhile; ptprof dump-threads says where "
                        "they are and what they wait for\n",
                   summary->threads ? " whose name matches --threads" : "");
    if (samples && samples < FEW_SAMPLES)
        buf_puts(out, "  note      too few samples for percentages: sample longer\n");
}

void summary_text(struct buf *out, const struct summary *summary)
{
    bool sampled = summary->file_count != 1 || summary->files[0].kind != PROFILE_THREADS;
    if (sampled) {
        put_head(out, summary);
        put_held(out, summary);
        put_quality(out, summary);
    }
    for (size_t i = 0; i < summary->file_count; i++)
        put_profile(out, summary, summary->files[i].kind);
    if (!summary->file_count)
        put_profile(out, summary, summary->report->run->type);
    put_events(out, summary);
    if (sampled)
        put_warnings(out, summary);
    symbol_report_missing(out, summary->report);
    for (size_t i = 0; i < summary->file_count; i++)
        put_file(out, &summary->files[i]);
    if (summary->file_count)
        put_next(out, &summary->files[0]);
}
