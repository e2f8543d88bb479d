// SPDX-License-Identifier: MIT
// A server in a child process of whoever uses the library.
#include <ptprof/ptprof.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/collector.h"
#include "session/api_parts.h"

#define LEAST_RATE 0.1 // the bounds of `ptprof serve`
#define MOST_RATE 10000.0
#define MOST_SECONDS 86400.0
#define MOST_HISTORY 1000000u
#define END_MS 10000 // a server that has not ended by then is killed

struct ptprof_server {
    pid_t pid;
    char address[sizeof((struct listener *)NULL)->address];
};

struct server_report { // of the child, once
    uint32_t rc;
    char text[sizeof(struct err)]; // the error, or the address
};

// --- options ---

static struct ptprof_serve_options options_of(const struct ptprof_serve_options *given)
{
    struct ptprof_serve_options known = {0};
    if (given)
        memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
    return known;
}

static enum rc check(const struct ptprof_serve_options *options, struct err *err)
{
    if (options->rate && !(options->rate >= LEAST_RATE && options->rate <= MOST_RATE))
        return err_set(err, RC_USAGE, "the rate is not from %g to %g", LEAST_RATE, MOST_RATE);
    if (options->metrics_interval &&
        !(options->metrics_interval >= 0.01 && options->metrics_interval <= MOST_SECONDS))
        return err_set(err, RC_USAGE, "the interval is not from 0.01 to %g s", MOST_SECONDS);
    if (options->history > MOST_HISTORY)
        return err_set(err, RC_USAGE, "the history is more than %u", MOST_HISTORY);
    if (options->prefix && *options->prefix != '/')
        return err_set(err, RC_USAGE, "the prefix does not begin with /");
    if (!options->tls_certificate != !options->tls_key)
        return err_set(err, RC_USAGE, "certificate and key need each other");
    return RC_OK;
}

static struct serve_settings settings_of(const struct ptprof_serve_options *options)
{
    struct serve_settings settings = {SERVE_DEFAULTS};
    settings.targets.pids = options->pids;
    settings.targets.pid_count = options->pid_count;
    for (size_t i = 0; i < options->rule_count; i++)
        text_list_add(&settings.targets.rules, options->rules[i]);
    if (options->listen)
        settings.http.listen = options->listen;
    if (options->prefix)
        settings.http.prefix = options->prefix;
    if (options->rate > 0)
        settings.profiles.rate = options->rate;
    if (options->metrics_interval > 0)
        settings.metrics.interval = (int64_t)(options->metrics_interval * (double)NS_PER_S);
    if (options->history)
        settings.metrics.kept = options->history;
    settings.http.allowed_hosts = options->allowed_hosts;
    settings.access.password_file = options->password_file;
    settings.access.token_file = options->token_file;
    settings.access.none = options->no_auth;
    settings.access.plain = options->insecure_http;
    settings.tls.certificate = options->tls_certificate;
    settings.tls.key = options->tls_key;
    return settings;
}

// --- the child ---

static void put_report(int fd, enum rc rc, const char *text)
{
    struct server_report report = {.rc = rc};
    strncpy(report.text, text, sizeof report.text - 1);
    ssize_t wrote = write(fd, &report, sizeof report);
    (void)wrote; // the parent notices
}

static void tell_ready(void *context, const struct listeners *listeners)
{
    int *fd = context;
    put_report(*fd, RC_OK, listeners->each[0].address);
    cleanup_fd(fd);
}

static void leave_callers_things(int *report, bool with_log, pid_t parent)
{
    AUTO_FD int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    prctl(PR_SET_NAME, "ptprof-serve");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    dup2(null, STDIN_FILENO);
    if (!with_log)
        dup2(null, STDERR_FILENO);
    *report = dup2(*report, STDERR_FILENO + 1);
    syscall(SYS_close_range, (unsigned)*report + 1, ~0u, 0u);
    null = -1; // it was among these
}

__attribute__((noreturn)) static void serve(const struct ptprof_serve_options *options,
                                            int report, pid_t parent)
{
    const struct serve_settings settings = settings_of(options);
    const struct collector_host host = {.ready = tell_ready, .context = &report};
    struct err err = {0};
    leave_callers_things(&report, options->log, parent);
    enum rc rc = collector_run(&settings, &host, &err);
    if (report >= 0)
        put_report(report, rc, err.text);
    _exit(rc == RC_OK ? EXIT_SUCCESS : EXIT_FAILURE);
}

// --- the caller ---

static enum rc start(const struct ptprof_serve_options *options, struct ptprof_server *server,
                     struct err *err)
{
    int ends[2];
    pid_t parent = getpid();
    if (pipe2(ends, O_CLOEXEC) != 0)
        return limits_sys(err, RC_LIMIT, errno, "cannot start a server");
    AUTO_FD int reading = ends[0];
    AUTO_FD int writing = ends[1];
    server->pid = fork();
    if (server->pid == 0)
        serve(options, writing, parent);
    if (server->pid < 0)
        return limits_sys(err, RC_LIMIT, errno, "cannot start a server");
    cleanup_fd(&writing);
    struct server_report report;
    if (TEMP_FAILURE_RETRY(read(reading, &report, sizeof report)) != sizeof report)
        return err_set(err, RC_FAIL, "the server has ended unexpectedly");
    if (report.rc != RC_OK)
        return err_set(err, report.rc, "%s", report.text);
    memcpy(server->address, report.text, sizeof server->address - 1);
    return RC_OK;
}

// Returns its exit status as waitpid has it.
static int await_end(pid_t pid)
{
    AUTO_FD int process = (int)syscall(SYS_pidfd_open, pid, 0u);
    struct pollfd fd = {.fd = process, .events = POLLIN};
    int status = 0;
    if (process < 0 || TEMP_FAILURE_RETRY(poll(&fd, 1, END_MS)) <= 0)
        kill(pid, SIGKILL);
    TEMP_FAILURE_RETRY(waitpid(pid, &status, 0));
    return status;
}

EXPORT enum ptprof_result ptprof_serve_start(const struct ptprof_serve_options *options,
                                             struct ptprof_server **server, char *error,
                                             size_t error_size)
{
    const struct ptprof_serve_options known = options_of(options);
    struct ptprof_server *started = xcalloc(1, sizeof *started);
    struct err err = {0};
    enum rc rc = check(&known, &err);
    if (rc == RC_OK)
        rc = start(&known, started, &err);
    if (rc != RC_OK) {
        if (started->pid > 0)
            await_end(started->pid);
        free(started);
        started = NULL;
    }
    *server = started;
    api_say(&err, error, error_size);
    return api_result(rc);
}

EXPORT const char *ptprof_serve_address(const struct ptprof_server *server)
{
    return server->address;
}

EXPORT enum ptprof_result ptprof_serve_stop(struct ptprof_server *server)
{
    if (!server)
        return PTPROF_OK;
    kill(server->pid, SIGTERM); // not reaped yet, so the number is still its own
    int status = await_end(server->pid);
    free(server);
    return status == 0 ? PTPROF_OK : PTPROF_FAILED;
}
