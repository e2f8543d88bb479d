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
#include "base/duration.h"
#include "base/escape.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "base/thread.h"
#include "collect/session.h"
#include "commands/attach_options.h"
#include "commands/checkpoint.h"
#include "commands/command.h"
#include "commands/interrupts.h"
#include "commands/output_file.h"
#include "commands/progress.h"
#include "commands/summary.h"
#include "commands/symbol_report.h"
#include "output/json.h"
#include "process/procfs.h"

#define PROGRESS_MS 250

struct attach {
    const struct attach_options *options;
    pid_t *pids;
    size_t pid_count;
    const struct writer *writer;
    char *path; // of the output, NULL: standard output
    struct session *session;
    struct checkpoint checkpoint;
    int signals; // descriptor of commands/interrupts.h
    bool progress; // the progress line is shown
    bool lost;     // the profile could not be written anywhere
    bool servers;  // debuginfod servers are asked
    unsigned snapshots, snapshots_wanted; // begun, requested by SIGUSR1
    pthread_t snapshot_thread;
    bool has_snapshot_thread;
    atomic_bool snapshot_done;
    char comm[COMM_MAX]; // of the first process, raw bytes
};

// --- before the run ---

static char *default_name(const struct attach *attach)
{
    return output_file_name(attach->comm, attach->pids[0], attach->writer->extension);
}

// The writer follows from --format, else from the ending of the output, else it is pprof.
static enum rc choose_writer(struct attach *attach, struct err *err)
{
    const struct attach_options *options = attach->options;
    const char *output = options->output;
    if (options->format >= 0)
        attach->writer = writer_by_name(attach_format_names[options->format]);
    else if (output && strcmp(output, "-") != 0)
        attach->writer = writer_by_path(output);
    if (!attach->writer)
        attach->writer = writer_by_name("pprof");
    return attach->writer ? RC_OK : err_set(err, RC_FAIL, "the format is not built in");
}

// Without --output a profile goes to a file. A text format that --format names goes to standard
// output instead, for a pipe.
static enum rc choose_output(struct attach *attach, struct err *err)
{
    const struct attach_options *options = attach->options;
    bool to_stdout = options->output ? strcmp(options->output, "-") == 0
                                     : options->format >= 0 && !attach->writer->binary;
    if (to_stdout && attach->writer->binary && terminal_is(STDOUT_FILENO))
        return err_set(err, RC_USAGE, "not writing a profile to a terminal; use -o FILE, or -o - "
                                      "with a pipe");
    if (!to_stdout)
        attach->path = options->output ? xstrdup(options->output) : default_name(attach);
    enum rc rc = output_file_check(attach->path, options->force, err);
    if (rc == RC_IO && !options->output)
        err_add(err, "  name another place with -o FILE");
    return rc;
}

// Tells the user of a checkpoint that an earlier, killed run has left.
static void prepare_checkpoint(struct attach *attach)
{
    AUTO_FREE char *left = NULL;
    checkpoint_init(&attach->checkpoint, attach->session, attach->writer, attach->path, &left);
    AUTO_FREE char *shown = left ? escape_text_dup(left) : NULL;
    if (left && !attach->options->quiet)
        fprintf(stderr, "ptprof: %s is what a run that was killed had seen; it stays\n", shown);
}

static enum rc prepare(struct attach *attach, struct err *err)
{
    const struct attach_options *options = attach->options;
    struct session_options session = session_defaults;
    session.rate = options->rate;
    session.threads = options->threads;
    session.children = options->children;
    session.idle = options->idle;
    session.max_depth = (size_t)options->max_depth;
    session.max_stop = options->max_stop / 100;
    session.unwind_live = options->unwinder == UNWINDER_LIVE;
    const char *servers = getenv("DEBUGINFOD_URLS");
    session.wait_for_names = options->wait_for_names;
    session.debuginfod = attach->servers = options->debuginfod || (servers && *servers);
    enum rc rc = attach_options_check(options, err);
    if (rc == RC_OK)
        rc = session_open(attach->pids, attach->pid_count, &session, &attach->session, err);
    if (rc == RC_OK && procfs_comm(attach->pids[0], attach->pids[0], attach->comm) != RC_OK)
        attach->comm[0] = '\0';
    if (rc == RC_OK)
        rc = choose_writer(attach, err);
    if (rc == RC_OK)
        rc = choose_output(attach, err);
    if (rc == RC_OK && (attach->signals = interrupts_open()) < 0)
        rc = limits_sys(err, RC_FAIL, errno, "cannot take signals");
    if (rc == RC_OK)
        prepare_checkpoint(attach);
    return rc;
}

// --- writing ---

static enum rc write_to(struct attach *attach, const char *path, const struct report *report,
                        long long *bytes, struct err *err)
{
    struct output_file file;
    enum rc rc = output_file_begin(&file, path, err);
    if (rc == RC_OK && path && writer_compresses(attach->writer, path))
        rc = output_file_compress(&file, err);
    if (rc == RC_OK)
        rc = report_write(report, attach->writer, file.stream, err);
    if (rc == RC_OK)
        rc = output_file_commit(&file, err);
    *bytes = file.bytes;
    output_file_fini(&file);
    return rc;
}

// If the profile cannot be written to its place, which may be gone or full, it goes elsewhere.
static enum rc write_elsewhere(struct attach *attach, const struct report *report, struct err *err)
{
    const char *temporary = getenv("TMPDIR");
    const char *const places[] = {".", temporary && *temporary ? temporary : "/tmp", "/var/tmp",
                                  "/dev/shm"};
    AUTO_FREE char *name = default_name(attach);
    limits_raise_file_size();
    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        AUTO_FREE char *path = xasprintf("%s/%s", places[i], name);
        long long bytes;
        if (output_file_check(path, false, NULL) != RC_OK ||
            write_to(attach, path, report, &bytes, NULL) != RC_OK)
            continue;
        AUTO_FREE char *shown = escape_text_dup(path);
        err_add(err, "  the profile was written to %s instead", shown);
        return RC_IO;
    }
    attach->lost = true;
    err_add(err, "  no other place could be written either: the profile is lost");
    return RC_IO;
}

static enum rc write_profile(struct attach *attach, const struct report *report, long long *bytes,
                             struct err *err)
{
    enum rc rc = write_to(attach, attach->path, report, bytes, err);
    return rc == RC_OK ? RC_OK : write_elsewhere(attach, report, err);
}

static struct report report_of(struct attach *attach)
{
    struct report report = session_report(attach->session);
    report.jit_suffix = attach->options->jit_suffix;
    return report;
}

// "profile.pb.gz" becomes "profile.1.pb.gz".
static char *snapshot_path(struct attach *attach)
{
    AUTO_FREE char *whole = attach->path ? xstrdup(attach->path) : default_name(attach);
    const char *ending = writer_ending(attach->writer, whole);
    return xasprintf("%.*s.%u%s", (int)(ending - whole), whole, attach->snapshots, ending);
}

static void *write_snapshot(void *context)
{
    struct attach *attach = context;
    struct session_snapshot snapshot;
    thread_come_last();
    session_snapshot_take(attach->session, &snapshot);
    snapshot.report.jit_suffix = attach->options->jit_suffix;
    AUTO_FREE char *path = snapshot_path(attach);
    AUTO_FREE char *shown = escape_text_dup(path);
    struct err err = {0};
    long long bytes;
    if (output_file_check(path, attach->options->force, &err) != RC_OK ||
        write_to(attach, path, &snapshot.report, &bytes, &err) != RC_OK)
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

// --- the run ---

static void show_start(const struct attach *attach)
{
    const struct attach_options *options = attach->options;
    AUTO_FREE char *comm = escape_text_dup(attach->comm);
    char length[DURATION_TEXT];
    if (options->quiet)
        return;
    fprintf(stderr, "ptprof: attached to %d (%s)", (int)attach->pids[0], comm);
    if (attach->pid_count > 1)
        fprintf(stderr, " and %zu more", attach->pid_count - 1);
    if (session_match(attach->session, NULL) != RC_OK)
        fprintf(stderr, " (no thread has a name that matches --threads yet)");
    if (options->duration)
        fprintf(stderr, ". Sampling at %g Hz for %s; Ctrl-C stops early and keeps the profile.\n",
                options->rate, duration_format(options->duration, length));
    else
        fprintf(stderr, ". Sampling at %g Hz until Ctrl-C, which keeps the profile.\n",
                options->rate);
}

static void show_progress(struct attach *attach, int64_t elapsed)
{
    if (attach->progress)
        progress_show(session_progress(attach->session), elapsed, attach->options->duration);
}

static void clear_progress(const struct attach *attach)
{
    if (attach->progress)
        progress_clear();
}

// Stops sampling while this process is suspended. Returns how long that was (ns).
static int64_t suspend(struct attach *attach)
{
    int64_t began = clock_now();
    clear_progress(attach);
    session_pause(attach->session, true);
    interrupts_suspend();
    session_pause(attach->session, false);
    return clock_now() - began;
}

// Samples until the duration is over, a signal asks to stop or the targets have ended.
static enum rc run(struct attach *attach, enum run_end *end, struct err *err)
{
    int64_t began = clock_now(), duration = attach->options->duration;
    for (;;) {
        int64_t elapsed = clock_now() - began;
        int64_t left_ms = duration ? (duration - elapsed + NS_PER_MS - 1) / NS_PER_MS : PROGRESS_MS;
        int step_ms = left_ms < PROGRESS_MS ? (int)left_ms : PROGRESS_MS;
        *end = RUN_DURATION;
        if (step_ms <= 0)
            return RC_OK;
        enum rc rc = session_step(attach->session, step_ms, attach->signals, err);
        *end = RUN_TARGET_ENDED;
        if (rc != RC_OK)
            return rc == RC_GONE ? RC_OK : rc;
        *end = RUN_INTERRUPTED;
        switch (interrupts_next(attach->signals)) {
        case 0:
            break;
        case SIGUSR1:
            clear_progress(attach);
            attach->snapshots_wanted++;
            break;
        case SIGTSTP:
            began += suspend(attach);
            break;
        default:
            return RC_OK;
        }
        go_on_with_snapshots(attach);
        show_progress(attach, clock_now() - began);
        checkpoint_step(&attach->checkpoint);
    }
}

static void show_summary(struct attach *attach, const struct report *report, long long bytes)
{
    AUTO_BUF struct buf text = {0};
    AUTO_FREE char *worst_cut = session_worst_cut(attach->session);
    struct summary summary = {
        .report = report,
        .threads = attach->options->threads,
        .worst_cut = worst_cut,
        .path = attach->path,
        .bytes = bytes,
        .writer = attach->writer,
        .color = terminal_color(STDERR_FILENO, attach->options->color),
    };
    if (attach->options->summary == SUMMARY_JSON)
        json_run(&text, report->run, profile_folded(report->profile));
    else if (!attach->options->quiet)
        summary_text(&text, &summary);
    else
        summary_alarm(&text, report->run);
    fputs(text.length ? text.data : "", stderr);
}

static void show_details(const struct report *report, int64_t writing_ns)
{
    AUTO_BUF struct buf text = {0};
    char length[DURATION_TEXT];
    fprintf(stderr, "  writing   %s from the end of sampling\n",
            duration_format(writing_ns, length));
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
    double complete = query_percent(samples - run->counts[COUNTER_CUT], samples);
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

static int finish(struct attach *attach, enum run_end end, struct err *err)
{
    long long bytes = 0;
    clear_progress(attach);
    if (end == RUN_INTERRUPTED && !attach->options->quiet)
        fputs("ptprof: stopping, writing the profile (press again to discard)\n", stderr);
    interrupts_let_kill(output_file_abandon); // a second signal ends us and the sampler
    session_finish(attach->session, end);     // detaches from the target first
    int64_t ended = clock_now();
    checkpoint_stop(&attach->checkpoint);
    await_snapshot(attach);
    thread_come_late();
    interrupts_let_kill(abandon); // now it also unlinks the checkpoint
    if (attach->servers && !attach->options->quiet)
        fputs("ptprof: servers may be asked for debug files, for at most 20s\n", stderr);
    struct report report = report_of(attach);
    if (end == RUN_TARGET_ENDED && !report.run->counts[COUNTER_SAMPLES])
        return command_status(err_set(err, RC_GONE, "%d ended before one sample was taken",
                                      (int)attach->pids[0]));
    if (session_match(attach->session, err) != RC_OK)
        return command_status(RC_GONE);
    enum rc refusal = session_refusal(attach->session, err);
    if (refusal != RC_OK && !report.run->counts[COUNTER_SAMPLES])
        return command_status(refusal);
    struct err why;
    enum rc rc = write_profile(attach, &report, &bytes, &why);
    if (rc != RC_OK) {
        *err = why;
        return command_status(rc);
    }
    show_summary(attach, &report, bytes);
    if (attach->options->verbose)
        show_details(&report, clock_now() - ended);
    if (refusal != RC_OK)
        return command_status(refusal);
    return check_quality(attach, report.run, err);
}

static int attach_session(struct attach *attach, struct err *err)
{
    enum run_end end;
    enum rc rc = prepare(attach, err);
    if (rc != RC_OK)
        return command_status(rc);
    attach->progress = !attach->options->quiet && terminal_is(STDERR_FILENO);
    show_start(attach);
    rc = session_start(attach->session, err);
    if (rc != RC_OK) // there are no samples: the file of an earlier run stays
        return command_status(rc);
    checkpoint_begin(&attach->checkpoint, attach->options->checkpoint,
                     attach->options->jit_suffix);
    rc = run(attach, &end, err);
    if (rc == RC_OK)
        return finish(attach, end, err);
    // The sampler failed. The samples up to then are still written.
    if (!session_progress(attach->session)->counts[COUNTER_SAMPLES])
        return command_status(rc);
    struct err why = *err;
    int status = finish(attach, RUN_INTERRUPTED, err);
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
    // If the profile could not be written anywhere, its checkpoint stays.
    checkpoint_fini(&attach.checkpoint, attach.lost);
    session_close(attach.session);
    free(attach.path);
    if (attach.signals >= 0)
        close(attach.signals);
    return status;
}

static const struct example examples[] = {
    {"ptprof attach 4242 -d 30s", "a CPU profile for go tool pprof, in a file"},
    {"ptprof attach 4242 -d 10s -f collapsed | flamegraph.pl > out.svg", "a flame graph"},
    {"ptprof attach 4242 --children -d 1m -o build.pb.gz", "a process and its descendants"},
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
