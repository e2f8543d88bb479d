// SPDX-License-Identifier: MIT
#include "serve/control.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/fronts.h"
#include "serve/log.h"
#include "serve/notify.h"

#define PATIENCE_NS (3ll * NS_PER_S) // for who waits when the server is to end

// --- settings ---

static bool is_same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

// What a process that began with the old settings cannot change is told.
static void tell_what_stays(const struct serve_settings *old, const struct serve_settings *new)
{
    if (!is_same_text(old->http.listen, new->http.listen))
        log_line(LOG_LEVEL_WARNING, "listen changes with the next start only");
    if (old->metrics.kept != new->metrics.kept)
        log_line(LOG_LEVEL_NOTICE, "metrics-history is for targets that are found from now on");
}

static enum rc read_again(struct collector *collector, struct err *err)
{
    const struct collector_host *host = collector->host;
    struct serve_settings settings;
    struct serve_settings old = collector->settings;
    enum rc rc = host->reload(host->context, &settings, err);
    if (rc != RC_OK)
        return rc;
    rc = collector_apply(collector, &settings, err);
    if (rc == RC_OK)
        tell_what_stays(&old, &settings);
    host->settle(host->context, rc == RC_OK);
    return rc;
}

// --- sampling ---

static void switch_on(struct collector *collector)
{
    if (collector->is_off)
        log_line(LOG_LEVEL_NOTICE, "sampling is switched on");
    collector->is_off = false;
}

static void switch_off(struct collector *collector)
{
    if (!collector->is_off)
        log_line(LOG_LEVEL_NOTICE, "sampling is switched off until SIGUSR1");
    collector->is_off = true;
    questions_finish(collector);
}

enum rc control_may_start(const struct collector *collector, bool samples, struct err *err)
{
    if (collector->end_by)
        return err_set(err, RC_BUSY, "the server is about to end");
    if (collector->is_off && samples)
        return err_set(err, RC_BUSY, "sampling is switched off here (by SIGUSR2, until SIGUSR1)");
    return RC_OK;
}

// --- the service manager ---

int control_patience(struct collector *collector)
{
    int64_t now = clock_now(), watchdog = notify_watchdog() / 2;
    int64_t next = collector->end_by ? collector->end_by : INT64_MAX;
    if (fronts_leave_by(collector) < next)
        next = fronts_leave_by(collector);
    if (watchdog && now >= collector->told_alive + watchdog) {
        notify_send("WATCHDOG=1");
        collector->told_alive = now;
    }
    if (watchdog && collector->told_alive + watchdog < next)
        next = collector->told_alive + watchdog;
    return next == INT64_MAX ? -1 : next <= now ? 0 : (int)((next - now) / NS_PER_MS + 1);
}

// --- the end ---

// First nobody new can come, then who waits gets what there is.
static void begin_to_end(struct collector *collector)
{
    if (collector->end_by) { // a second time: at once
        collector->end_by = 1;
        return;
    }
    log_line(LOG_LEVEL_INFO, "ending");
    notify_send("STOPPING=1");
    collector->end_by = clock_now() + PATIENCE_NS;
    fronts_close(collector);
    listeners_close(&collector->listeners);
    questions_finish(collector);
}

// A front ends when it has sent its last answer.
bool control_is_over(const struct collector *collector)
{
    return collector->end_by && (!fronts_any(collector) || clock_now() >= collector->end_by);
}

// Then the signal is of a terminal that was closed, or of a connection that broke.
static bool terminal_is_gone(void)
{
    struct pollfd fds[] = {{.fd = STDIN_FILENO}, {.fd = STDERR_FILENO}};
    bool gone = false;
    struct stat stat;
    if (poll(fds, ARRAY_LENGTH(fds), 0) <= 0)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(fds); i++)
        gone |= fds[i].revents & POLLHUP && fstat(fds[i].fd, &stat) == 0 &&
                S_ISCHR(stat.st_mode);
    return gone;
}

static void reload(struct collector *collector)
{
    struct err err = {0};
    if (terminal_is_gone()) {
        begin_to_end(collector);
        return;
    }
    if (!collector->host->reload) {
        log_line(LOG_LEVEL_NOTICE, "there is no configuration to read again");
        return;
    }
    notify_send("RELOADING=1");
    if (read_again(collector, &err) == RC_OK)
        log_line(LOG_LEVEL_NOTICE, "the settings were read again");
    else
        log_line(LOG_LEVEL_ERROR, "the settings stay as they are: %s", err.text);
    notify_send("READY=1");
}

static void reap(struct collector *collector)
{
    (void)collector;
    worker_process_reap();
}

void control_take_signals(struct collector *collector)
{
    static const struct {
        int signal;
        void (*take)(struct collector *collector);
    } signals[] = {{SIGCHLD, reap},         {SIGHUP, reload},       {SIGUSR1, switch_on},
                   {SIGUSR2, switch_off},   {SIGTERM, begin_to_end}, {SIGINT, begin_to_end}};
    struct signalfd_siginfo info;
    while (read(collector->signals, &info, sizeof info) == sizeof info)
        for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
            if (signals[i].signal == (int)info.ssi_signo)
                signals[i].take(collector);
}
