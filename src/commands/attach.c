// SPDX-License-Identifier: MIT
// ptprof attach samples for a while, then writes the profile.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/figures.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "base/thread.h"
#include "collect/session_report.h"
#include "collect/session_trace.h"
#include "commands/attach_flame.h"
#include "commands/attach_output.h"
#include "commands/checkpoint.h"
#include "commands/command.h"
#include "commands/interrupts.h"
#include "commands/output_file.h"
#include "commands/progress.h"
#include "commands/summary.h"
#include "commands/symbol_report.h"
#include "dump/thread_types.h"
#include "output/json.h"

#define PROGRESS_MS 250

struct attach {
    const struct attach_options *options;
    pid_t *pids;
    size_t pid_count;
    struct session *session;
    struct attach_outputs outputs;
    struct run run; // as its files say
    struct thread_types *threads; // NULL: not asked for
    struct plain_profile *made[PROFILE_KINDS]; // what is written; NULL: not yet
    struct checkpoint checkpoint;
    int signals; // descriptor of commands/interrupts.h
    bool progress; // the progress line is shown
    bool servers;  // debuginfod servers are asked
    unsigned snapshots, snapshots_wanted; // begun; asked for by SIGUSR1
    pthread_t snapshot_thread;            // it writes the one that was begun last
    bool has_snapshot_thread;
    atomic_bool snapshot_done;
};

// --- before the run ---

// Tells the user of a checkpoint that an earlier, killed run has left.
static void prepare_checkpoint(struct attach *attach)
{
    AUTO_FREE char *left = NULL;
    const struct attach_output *output = attach_outputs_profile(&attach->outputs);
    attach->checkpoint = (struct checkpoint){
        .session = attach->session,
        .writer = output ? output->writer : NULL,
        .every = attach->options->checkpoint,
    };
    checkpoint_init(&attach->checkpoint, output ? output->path : NULL, &left);
    AUTO_FREE char *shown = left ? escape_text_dup(left) : NULL;
    if (left && !attach->options->quiet)
        fprintf(stderr, "ptprof: %s is what a run that was killed had seen; it stays\n", shown);
}

static enum rc prepare(struct attach *attach, struct err *err)
{
    const struct attach_options *options = attach->options;
    struct session_options session = options->session;
    const char *servers = getenv("DEBUGINFOD_URLS");
    session.debuginfod = attach->servers = session.debuginfod || (servers && *servers);
    session.types = attach_options_types(options);
    AUTO_FREE char *directory = attach_options_directory(options);
    session.trace_directory = directory;
    enum rc rc = attach_options_check(options, err);
    if (rc == RC_OK)
        rc = attach_flame_check(options, err);
    if (rc == RC_OK)
        rc = session_open(attach->pids, attach->pid_count, &session, &attach->session, err);
    attach->outputs = (struct attach_outputs){.options = options, .pid = attach->pids[0]};
    if (rc == RC_OK && procfs_comm(attach->pids[0], attach->pids[0], attach->outputs.comm) != RC_OK)
        *attach->outputs.comm = '\0';
    if (rc == RC_OK)
        rc = attach_outputs_choose(&attach->outputs, session.types, err);
    if (rc == RC_OK && (attach->signals = interrupts_open()) < 0)
        rc = limits_sys(err, RC_FAIL, errno, "cannot take signals");
    if (rc == RC_OK)
        prepare_checkpoint(attach);
    return rc;
}

// --- snapshots ---

static void *write_snapshot(void *context)
{
    struct attach *attach = context;
    struct session_snapshot snapshot;
    struct err err = {0};
    AUTO_FREE char *shown = NULL;
    thread_come_last();
    session_snapshot_take(attach->session, &snapshot);
    snapshot.report.made = attach->made;
    enum rc rc = attach_outputs_snapshot(&attach->outputs, &snapshot.report, attach->snapshots,
                                         &shown, &err);
    if (rc != RC_OK)
        fprintf(stderr, "ptprof: %s\n", err.text);
    else if (!attach->options->quiet)
        fprintf(stderr, "ptprof: snapshot written to %s, sampling goes on\n", shown);
    session_snapshot_end(attach->session, &snapshot);
    atomic_store(&attach->snapshot_done, true);
    return NULL;
}

static void await_snapshot(struct attach *attach)
{
    if (attach->has_snapshot_thread)
        pthread_join(attach->snapshot_thread, NULL);
    attach->has_snapshot_thread = false;
}

// A thread writes one snapshot at a time, because symbolizing and disks can be slow.
static void go_on_with_snapshots(struct attach *attach)
{
    if (attach->snapshots == attach->snapshots_wanted ||
        (attach->has_snapshot_thread && !atomic_load(&attach->snapshot_done)))
        return;
    await_snapshot(attach);
    attach->snapshots++;
    atomic_store(&attach->snapshot_done, false);
    int errnum = thread_start(&attach->snapshot_thread, write_snapshot, attach);
    attach->has_snapshot_thread = !errnum;
    if (errnum)
        fprintf(stderr, "ptprof: cannot start a thread for the snapshot: %s\n", strerror(errnum));
}

// --- types that count threads ---

// One look needs no run.
static bool is_one_look(const struct attach *attach)
{
    return attach_options_types(attach->options) == PROFILE_BIT(PROFILE_THREADS);
}

static enum rc start_threads(struct attach *attach, struct err *err)
{
    const struct thread_types_options options = {
        .types = attach_options_types(attach->options),
        .threads = attach->options->session.threads,
    };
    if (!(options.types & THREAD_TYPES))
        return RC_OK;
    enum rc rc =
        thread_types_start(attach->pids, attach->pid_count, &options, &attach->threads, err);
    if (rc == RC_OK && options.types & PROFILE_BIT(PROFILE_THREADS))
        attach->made[PROFILE_THREADS] = thread_types_profile(attach->threads, PROFILE_THREADS);
    return rc;
}

static void finish_threads(struct attach *attach)
{
    if (!attach->threads)
        return;
    thread_types_stop(attach->threads);
    if (attach_options_types(attach->options) & PROFILE_BIT(PROFILE_THREADCREATE))
        attach->made[PROFILE_THREADCREATE] =
            thread_types_profile(attach->threads, PROFILE_THREADCREATE);
}

static void free_made(struct attach *attach)
{
    thread_types_free(attach->threads);
    for (size_t i = 0; i < ARRAY_LENGTH(attach->made); i++)
        plain_free(attach->made[i]);
}

// --- the run ---

static void show_start(const struct attach *attach)
{
    const struct attach_options *options = attach->options;
    AUTO_FREE char *comm = escape_text_dup(attach->outputs.comm);
    char length[FIGURES_MOST];
    if (options->quiet)
        return;
    fprintf(stderr, "ptprof: attached to %d (%s)", (int)attach->pids[0], comm);
    if (attach->pid_count > 1)
        fprintf(stderr, " and %zu more", attach->pid_count - 1);
    if (session_match(attach->session, NULL) != RC_OK)
        fprintf(stderr, " (no thread has a name that matches --threads yet)");
    if (is_one_look(attach))
        fputs(" for one look at its threads\n", stderr);
    else if (options->duration)
        fprintf(stderr, ". Sampling at %g Hz for %s; Ctrl-C stops early and keeps the profile.\n",
                options->session.rate, figures_duration(options->duration, length));
    else
        fprintf(stderr, ". Sampling at %g Hz until Ctrl-C, which keeps the profile.\n",
                options->session.rate);
}

static void show_progress(struct attach *attach)
{
    if (attach->progress)
        progress_show(session_progress(attach->session), session_sampled_ns(attach->session),
                      attach->options->duration);
}

static void clear_progress(const struct attach *attach)
{
    if (attach->progress)
        progress_clear();
}

// Stops sampling while this process is suspended.
static void suspend(struct attach *attach)
{
    clear_progress(attach);
    session_pause(attach->session, true);
    interrupts_suspend();
    session_pause(attach->session, false);
}

// Returns false when a signal asks to stop.
static bool step(void *context, bool woken)
{
    struct attach *attach = context;
    switch (woken ? interrupts_next(attach->signals) : 0) {
    case 0:
        break;
    case SIGUSR1:
        clear_progress(attach);
        attach->snapshots_wanted++;
        break;
    case SIGTSTP:
        suspend(attach);
        break;
    default:
        return false;
    }
    go_on_with_snapshots(attach);
    show_progress(attach);
    checkpoint_step(&attach->checkpoint);
    return true;
}

static void show_summary(struct attach *attach, const struct report *report)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *worst_cut = session_worst_cut(attach->session);
    struct summary summary = {
        .report = report,
        .threads = attach->options->session.threads,
        .worst_cut = worst_cut,
        .files = attach->outputs.list,
        .file_count = attach->outputs.count,
        .color = terminal_color(STDERR_FILENO, attach->options->color),
    };
    if (attach->options->summary == SUMMARY_JSON)
        output_json_run(&text, report->run, profile_folded(report->profile));
    else if (!attach->options->quiet)
        summary_text(&text, &summary);
    else
        summary_alarm(&text, report->run);
    fputs(text.length ? text.data : "", stderr);
}

static void show_details(const struct report *report, int64_t writing_ns)
{
    AUTO_BUF struct buf text = {0};
    char length[FIGURES_MOST];
    fprintf(stderr, "  writing   %s from the end of sampling\n",
            figures_duration(writing_ns, length));
    symbol_report_modules(&text, report);
    fputs(text.length ? text.data : "", stderr);
}

// A profile that is incomplete because of a resource limit of ours is a failure.
static int check_limit(const struct run *run, struct err *err)
{
    int limit = (int)run->counts[COUNTER_LIMIT];
    if (!limit)
        return EXIT_DONE;
    err_sys(err, RC_LIMIT, limit, "the profile is incomplete");
    limits_explain(err, limit);
    return EXIT_FAILED;
}

static int check_quality(const struct attach *attach, const struct run *run, struct err *err)
{
    double wanted = attach->options->min_quality;
    uint64_t samples = run->counts[COUNTER_SAMPLES];
    double complete = figures_percent(samples - run->counts[COUNTER_CUT], samples);
    if (wanted <= 0 || complete >= wanted)
        return check_limit(run, err);
    err_set(err, RC_FAIL, "%.1f%% of the stacks are complete, less than --min-quality %g", complete,
            wanted);
    return EXIT_QUALITY;
}

static void abandon(void)
{
    output_file_abandon();
    checkpoint_abandon();
}

// Each profile is made once, for its file and for the summary.
static void make_profiles(struct attach *attach, const struct report *report)
{
    for (size_t i = 0; i < attach->outputs.count; i++) {
        enum profile_kind kind = attach->outputs.list[i].kind;
        struct run run = *report->run;
        struct report own = *report;
        run.type = kind;
        own.run = &run;
        if (kind != PROFILE_TRACE && !attach->made[kind])
            attach->made[kind] = report_profile(&own);
    }
}

// What did not fit into the file of a trace is known when it is written.
static enum rc write_outputs(struct attach *attach, struct report *report, struct err *err)
{
    enum rc traced = RC_OK;
    struct err why;
    if (attach_options_types(attach->options) & PROFILE_BIT(PROFILE_TRACE))
        traced = session_timeline(attach->session, &attach->outputs.timeline, err);
    attach->run = *report->run;
    report->run = &attach->run;
    make_profiles(attach, report);
    enum rc rc = attach_outputs_write(&attach->outputs, report, &attach->run.trace, &why);
    if (rc != RC_OK)
        *err = why;
    return rc == RC_OK ? traced : rc;
}

// What is counted without samples is there without any.
static enum rc judge(struct attach *attach, struct err *err)
{
    bool counted = attach->threads && !session_progress(attach->session)->counts[COUNTER_SAMPLES];
    return counted ? session_match(attach->session, err) : session_judge(attach->session, err);
}

static int finish(struct attach *attach, struct err *err)
{
    clear_progress(attach);
    if (session_progress(attach->session)->end == RUN_INTERRUPTED && !attach->options->quiet)
        fputs("ptprof: stopping, writing the profile (press again to discard)\n", stderr);
    interrupts_let_kill(output_file_abandon); // a second signal ends us and the sampler
    session_finish(attach->session);          // detaches from the target first
    finish_threads(attach);
    int64_t ended = clock_now();
    checkpoint_stop(&attach->checkpoint);
    await_snapshot(attach);
    thread_come_late();
    interrupts_let_kill(abandon); // now it also unlinks the checkpoint
    if (attach->servers && !attach->options->quiet)
        fputs("ptprof: servers may be asked for debug files, for at most 20s\n", stderr);
    struct report report = session_report(attach->session);
    report.made = attach->made;
    enum rc verdict = judge(attach, err);
    if (verdict != RC_OK && !report.run->counts[COUNTER_SAMPLES] && !attach->threads)
        return command_status(verdict);
    struct err why;
    enum rc rc = write_outputs(attach, &report, &why);
    if (rc != RC_OK) {
        *err = why;
        return command_status(rc);
    }
    show_summary(attach, &report);
    if (attach->options->verbose)
        show_details(&report, clock_now() - ended);
    if (attach->options->report)
        rc = attach_outputs_report(&attach->outputs, attach->made, err);
    if (rc == RC_OK)
        rc = attach_flame_write(&attach->outputs, attach->made, err);
    if (rc != RC_OK)
        return command_status(rc);
    return verdict != RC_OK ? command_status(verdict) : check_quality(attach, report.run, err);
}

static int attach_session(struct attach *attach, struct err *err)
{
    enum rc rc = prepare(attach, err);
    if (rc != RC_OK)
        return command_status(rc);
    attach->progress = !attach->options->quiet && terminal_is(STDERR_FILENO);
    show_start(attach);
    rc = start_threads(attach, err);
    if (rc == RC_OK)
        rc = session_start(attach->session, err);
    if (rc != RC_OK) // there are no samples: the file of an earlier run stays
        return command_status(rc);
    rc = session_run(attach->session, &(struct session_drive){
        .duration = is_one_look(attach) ? 1 : attach->options->duration,
        .every_ms = PROGRESS_MS,
        .fd = attach->signals,
        .step = step,
        .context = attach,
    }, err);
    if (rc == RC_OK || rc == RC_GONE)
        return finish(attach, err);
    // The sampler failed. The samples up to then are still written.
    if (!session_progress(attach->session)->counts[COUNTER_SAMPLES])
        return command_status(rc);
    struct err why = *err;
    int status = finish(attach, err);
    *err = why;
    return status == EXIT_DONE ? EXIT_FAILED : status;
}

// A PID that is given twice counts once.
static void add_pid(struct attach *attach, pid_t pid)
{
    for (size_t i = 0; i < attach->pid_count; i++)
        if (attach->pids[i] == pid)
            return;
    attach->pids[attach->pid_count++] = pid;
}

static int attach_run(const struct call *call, struct err *err)
{
    struct attach attach = {.options = call->options, .signals = -1};
    AUTO_FREE pid_t *pids = xcalloc(call->count, sizeof *pids);
    attach.pids = pids;
    for (size_t i = 0; i < call->count; i++) {
        pid_t pid;
        enum rc rc = command_pid(call->operands[i], &pid, err);
        if (rc != RC_OK)
            return command_status(rc);
        add_pid(&attach, pid);
    }
    int status = attach_session(&attach, err);
    await_snapshot(&attach);
    // If the profile could not be written anywhere, its checkpoint stays.
    checkpoint_fini(&attach.checkpoint, attach.outputs.lost);
    session_close(attach.session);
    free_made(&attach);
    attach_outputs_fini(&attach.outputs);
    if (attach.signals >= 0)
        close(attach.signals);
    return status;
}

static const struct example examples[] = {
    {"ptprof attach 4242 -d 30s", "a CPU profile for go tool pprof, in a file"},
    {"ptprof attach 4242 -d 10s --flamegraph cpu.html", "and a flame graph of it"},
    {"ptprof attach 4242 --children -d 1m -o build.pb.gz", "a process and its descendants"},
    {"ptprof attach 4242 --type block,mutex -d 9s", "what threads wait for, who holds the locks"},
    {"ptprof attach 4242 --idle -d 10s", "wall time: also where threads sleep"},
    {NULL, NULL},
};

const struct command command_attach = {
    .name = "attach",
    .args = "PID...",
    .summary = "sample running processes and write a CPU profile",
    .operand = OPERAND_PID,
    .least = 1,
    .most = 1000,
    .options = attach_options,
    .defaults = &attach_defaults,
    .options_size = sizeof(struct attach_options),
    .examples = examples,
    .run = attach_run,
};
