// SPDX-License-Identifier: MIT
// `ptprof fetch URL...` gets profiles from servers with Go's endpoints. -o writes the sum of what
// came, --output-dir each to a file of its own, again and again with --every.
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/escape.h"
#include "base/mem.h"
#include "base/terminal.h"
#include "commands/command.h"
#include "commands/fetch_jobs.h"
#include "commands/interrupts.h"
#include "commands/output_file.h"
#include "commands/progress.h"
#include "commands/report.h"
#include "profile/plain_merge.h"

#define DRAWN_EVERY (250 * NS_PER_MS)

struct fetch_options {
    int64_t duration; // ns; 0: as the server does without being told
    unsigned types;
    const char *output, *output_dir;
    struct http_options http;
    int64_t timeout, every; // ns
    uint64_t count;
    bool report, quiet, force;
};

struct fetch {
    const struct fetch_options *options;
    struct fetch_request request;
    struct fetch_jobs jobs;
    bool of_types; // each URL is asked for several types
    int signals;
    int64_t began, drawn; // when this round did, and when its progress was shown last
    bool stopped;
    enum rc failed; // what became of the first job that failed
};

static const struct fetch_options defaults;

#define AT(member) .offset = offsetof(struct fetch_options, member)

static const struct option options[] = {
    {"type", 0, OPTION_SET, "TYPE,...", AT(types), .choices = fetch_types,
     .help = "which profiles: cpu, heap, allocs, block, mutex, threads (or goroutine), "
             "threadcreate, trace, wall (which ptprof serve has), or all that Go's servers have",
     .shown_default = "what the URL says, else cpu"},
    {"duration", 'd', OPTION_DURATION, "TIME", AT(duration),
     .help = "how long the server samples; of other types than cpu, wall and trace: what "
             "changes meanwhile",
     .shown_default = "what the URL says; 30s for cpu and wall, 1s for a trace"},
    {"output", 'o', OPTION_FILE, "FILE", AT(output),
     .help = "write the sum of all URLs here, in the format of the ending; - is standard output"},
    {"output-dir", 0, OPTION_FILE, "DIR", AT(output_dir),
     .help = "write each profile to a file of its own in this directory"},
    {"report", 0, OPTION_FLAG, AT(report),
     .help = "print where the time or memory went; without -o and --output-dir nothing is "
             "written"},
    {"every", 0, OPTION_DURATION, "TIME", AT(every),
     .help = "ask again and again, this long after the last beginning; needs --output-dir"},
    {"count", 0, OPTION_INTEGER, "N", AT(count), .least = 1, .most = 1e9,
     .help = "how often with --every", .shown_default = "until Ctrl-C"},
    {"timeout", 0, OPTION_DURATION, "TIME", AT(timeout),
     .help = "how long to wait beyond the time that the server samples",
     .shown_default = "half of it and a minute"},
    {"ca", 0, OPTION_FILE, "FILE", AT(http.ca_file),
     .help = "certificates to trust, in place of the system's"},
    {"insecure", 0, OPTION_FLAG, AT(http.insecure),
     .help = "do not check who answers over https: anybody in between can read and change "
             "everything"},
    {"netrc-file", 0, OPTION_FILE, "FILE", AT(http.netrc_file),
     .help = "file with user names and passwords of hosts", .shown_default = "~/.netrc"},
    {"unix-socket", 0, OPTION_FILE, "PATH", AT(http.unix_socket),
     .help = "talk through this socket; the URL's host is only a name then"},
    {"force", 0, OPTION_FLAG, AT(force),
     .help = "replace a symbolic link or a file of another user"},
    {"quiet", 'q', OPTION_FLAG, AT(quiet), .help = "print errors only"},
    {NULL},
};

// --- waiting ---

static bool is_stopped(struct fetch *fetch)
{
    for (int number; (number = interrupts_next(fetch->signals));)
        if (number != SIGUSR1 && number != SIGTSTP)
            fetch->stopped = true;
        else if (number == SIGTSTP)
            interrupts_suspend();
    return fetch->stopped;
}

static void show_progress(struct fetch *fetch)
{
    int64_t now = clock_now();
    if (fetch->options->quiet || !terminal_is(STDERR_FILENO) || now < fetch->drawn + DRAWN_EVERY)
        return;
    fetch->drawn = now;
    progress_line(now - fetch->began, (int64_t)(fetch->jobs.longest * NS_PER_S),
                  fetch->jobs.count == 1 ? fetch->jobs.list->url.host : "");
}

static bool go_on(void *context)
{
    struct fetch *fetch = context;
    show_progress(fetch);
    return !is_stopped(fetch);
}

static void wait_until(struct fetch *fetch, int64_t moment)
{
    for (int64_t left; (left = moment - clock_now()) > 0 && !is_stopped(fetch);) {
        struct pollfd signals = {.fd = fetch->signals, .events = POLLIN};
        poll(&signals, 1, left > NS_PER_S ? 1000 : (int)(left / NS_PER_MS) + 1);
    }
}

// --- writing ---

static enum rc write_one(const struct fetch *fetch, const char *path, const struct writer *writer,
                         const struct output_content *what, struct err *err)
{
    long long size;
    struct output_content content = *what;
    content.writer = writer;
    enum rc rc = output_file_check(path, fetch->options->force, err);
    if (rc == RC_OK)
        rc = output_file_write(path, &content, &size, err);
    if (rc == RC_OK && !fetch->options->quiet && path)
        output_file_say(path, size);
    return rc;
}

// What the server sent is written as it came, unless another format is asked for or names were
// added.
static enum rc write_job(const struct fetch *fetch, const struct fetch_job *job, const char *path,
                         struct err *err)
{
    const struct writer *pprof = writer_by_name("pprof");
    const struct writer *writer = path ? writer_by_path(path) : NULL;
    bool other = job->profile && writer && writer != pprof;
    const struct output_content as_is = {.bytes = &job->body}, made = {.profile = job->profile};
    return write_one(fetch, path, other ? writer : pprof,
                     job->named || other ? &made : &as_is, err);
}

// Returns a path that nothing has yet, because a host may be asked twice within a second. The
// caller frees it.
static char *path_of(const struct fetch *fetch, const struct fetch_job *job)
{
    const char *directory = fetch->options->output_dir ? fetch->options->output_dir : ".";
    const char *type = job->url.type ? job->url.type : "profile";
    for (unsigned number = 1;; number++) {
        AUTO_FREE char *which = number == 1 ? xstrdup(type) : xasprintf("%s-%u", type, number);
        AUTO_FREE char *name =
            output_file_name(job->url.host, which, job->url.is_trace ? ".trace" : ".pb.gz");
        AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
        if (access(path, F_OK) != 0)
            return steal_ptr(&path);
    }
}

static enum rc write_apart(struct fetch *fetch, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < fetch->jobs.count && rc == RC_OK; i++) {
        const struct fetch_job *job = &fetch->jobs.list[i];
        AUTO_FREE char *path = job->rc == RC_OK ? path_of(fetch, job) : NULL;
        if (path)
            rc = write_job(fetch, job, path, err);
    }
    return rc;
}

// Makes the sum of what came, NULL of nothing; the caller frees it.
static enum rc sum_up(const struct fetch *fetch, struct plain_profile **sum, struct err *err)
{
    size_t count = 0;
    AUTO_FREE const struct plain_profile **parts = xcalloc(fetch->jobs.count, sizeof *parts);
    for (size_t i = 0; i < fetch->jobs.count; i++)
        if (fetch->jobs.list[i].profile)
            parts[count++] = fetch->jobs.list[i].profile;
    *sum = NULL;
    return count ? plain_merge(parts, count, sum, err) : RC_OK;
}

static enum rc write_sum(struct fetch *fetch, struct err *err)
{
    const char *path = fetch->options->output;
    path = strcmp(path, "-") ? path : NULL;
    if (fetch->jobs.count == 1)
        return fetch->jobs.list->rc == RC_OK ? write_job(fetch, fetch->jobs.list, path, err)
                                             : RC_OK;
    struct plain_profile *sum;
    enum rc rc = sum_up(fetch, &sum, err);
    const struct writer *writer = path ? writer_by_path(path) : NULL;
    if (sum)
        rc = write_one(fetch, path, writer ? writer : writer_by_name("pprof"),
                       &(struct output_content){.profile = sum}, err);
    plain_free(sum);
    return rc;
}

// --- rounds ---

static void tell_failures(struct fetch *fetch)
{
    for (size_t i = 0; i < fetch->jobs.count; i++) {
        const struct fetch_job *job = &fetch->jobs.list[i];
        if (job->rc == RC_OK)
            continue;
        fetch->failed = fetch->failed ? fetch->failed : job->rc;
        fprintf(stderr, "ptprof: %s%s%s\n", fetch->jobs.count > 1 && job->url.type ? job->url.type
                                                                                    : "",
                fetch->jobs.count > 1 && job->url.type ? " of " : "", job->err.text);
    }
}

// Replicas have one report, and types one each.
static enum rc print_reports(struct fetch *fetch, struct err *err)
{
    struct plain_profile *sum = NULL;
    enum rc rc = fetch->of_types ? RC_OK : sum_up(fetch, &sum, err);
    if (sum)
        return report_print_of(sum, err);
    for (size_t i = 0; i < fetch->jobs.count && rc == RC_OK; i++) {
        struct plain_profile *profile = fetch->jobs.list[i].profile;
        if (profile)
            rc = report_print_of(plain_copy(profile), err);
        putchar('\n');
    }
    return rc;
}

static enum rc one_round(struct fetch *fetch, struct err *err)
{
    const struct http_waiting waiting = {fetch->signals, go_on, fetch};
    fetch->began = clock_now();
    enum rc rc = fetch_jobs_ask(&fetch->jobs, &fetch->request, &waiting, err);
    if (terminal_is(STDERR_FILENO) && !fetch->options->quiet)
        progress_clear();
    if (rc != RC_OK)
        return rc;
    tell_failures(fetch);
    if (fetch->options->output)
        rc = write_sum(fetch, err);
    else if (!fetch->options->report || fetch->options->output_dir)
        rc = write_apart(fetch, err);
    return rc == RC_OK && fetch->options->report ? print_reports(fetch, err) : rc;
}

// A round that fails does not end a series: the next one may succeed.
static enum rc all_rounds(struct fetch *fetch, struct err *err)
{
    const struct fetch_options *asked = fetch->options;
    uint64_t count = !asked->every ? 1 : asked->count ? asked->count : UINT64_MAX;
    int64_t next = clock_now();
    for (uint64_t round = 0; round < count; round++) {
        wait_until(fetch, next);
        if (fetch->stopped)
            return RC_OK;
        enum rc rc = one_round(fetch, err);
        if (rc != RC_OK)
            return fetch->stopped && round ? RC_OK : rc;
        next += asked->every;
    }
    return RC_OK;
}

static enum rc check_output(const struct fetch *fetch, struct err *err)
{
    const struct fetch_options *asked = fetch->options;
    struct stat info;
    bool to_stdout = asked->output && strcmp(asked->output, "-") == 0;
    if (asked->output && asked->output_dir)
        return err_set(err, RC_USAGE, "fetch: -o takes the sum and --output-dir each profile: "
                                      "leave one out");
    if (asked->every && !asked->output_dir)
        return err_set(err, RC_USAGE, "fetch: --every needs --output-dir");
    if (asked->output && fetch->of_types)
        return err_set(err, RC_USAGE, "fetch: profiles of several types have no sum; use "
                                      "--output-dir");
    if (to_stdout && terminal_is(STDOUT_FILENO))
        return output_file_refuse_terminal(err);
    if (asked->output_dir && (stat(asked->output_dir, &info) != 0 || !S_ISDIR(info.st_mode))) {
        AUTO_FREE char *shown = escape_text_dup(asked->output_dir);
        return err_set(err, RC_USAGE, "fetch: there is no directory %s", shown);
    }
    return asked->output && !to_stdout ? output_file_check(asked->output, asked->force, err)
                                       : RC_OK;
}

static int run(const struct call *call, struct err *err)
{
    const struct fetch_options *asked = call->options;
    struct fetch fetch = {.options = asked, .request = {
        .urls = call->operands, .types = asked->types, .timeout = asked->timeout,
        .seconds = (double)asked->duration / NS_PER_S, .http = asked->http}};
    enum rc rc = fetch_jobs_make(&fetch.jobs, &fetch.request, err);
    fetch.of_types = fetch.jobs.count > call->count;
    if (rc == RC_OK)
        rc = check_output(&fetch, err);
    fetch.signals = rc == RC_OK ? interrupts_open() : -1;
    if (rc == RC_OK)
        rc = all_rounds(&fetch, err);
    fetch_jobs_fini(&fetch.jobs);
    if (fetch.signals >= 0)
        close(fetch.signals);
    return command_status(rc ? rc : fetch.failed);
}

static const struct example examples[] = {
    {"ptprof fetch localhost:6060 -o cpu.pb.gz", "CPU time, 30 s"},
    {"ptprof fetch app:6060 --type heap", "where its memory is"},
    {"ptprof fetch a:6060 b:6060 -o sum.pb.gz", "two replicas as one"},
    {"ptprof fetch app:6060 --type all --every 5m --output-dir all", "a series of everything"},
    {NULL},
};

const struct command command_fetch = {
    .name = "fetch",
    .args = "URL...",
    .summary = "get profiles from servers with Go's /debug/pprof endpoints",
    .details =
        "A URL is host:6060, http://host:6060/debug/pprof/ or that of one profile.\n"
        "Credentials come from PTPROF_USER and PTPROF_PASSWORD, PTPROF_BEARER_TOKEN or\n"
        "a netrc file, and never from the command line, which all users can read.\n",
    .operand = OPERAND_CHOICE,
    .choices = (const char *const[]){NULL},
    .least = 1,
    .most = 1000,
    .options = options,
    .defaults = &defaults,
    .options_size = sizeof(struct fetch_options),
    .examples = examples,
    .run = run,
};
