// SPDX-License-Identifier: MIT
#include "serve/collector.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/fronts.h"
#include "serve/notify.h"

static int open_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void set_ticks(int fd, int64_t interval)
{
    const struct timespec every = {interval / NS_PER_S, interval % NS_PER_S};
    timerfd_settime(fd, 0, &(struct itimerspec){every, every}, NULL);
}

static int open_ticks(int64_t interval)
{
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (fd >= 0)
        set_ticks(fd, interval);
    return fd;
}

// Sockets that a service manager has opened come before addresses.
static enum rc open_listeners(struct collector *collector, struct err *err)
{
    int sockets[NOTIFY_SOCKETS_MOST], count = notify_sockets(sockets);
    if (count)
        return listeners_adopt(&collector->listeners, sockets, (size_t)count, err);
    return listeners_open(&collector->listeners, collector->settings.http.listen,
                          collector->settings.access.socket_users, err);
}

// Passwords, tokens and certificates as their files have them now. What was there before stays when
// something is wrong with them.
static enum rc read_access(struct collector *collector, const struct serve_settings *settings,
                           struct err *err)
{
    struct access access = {0};
    enum rc rc = access_open(&access, settings, &collector->listeners, err);
    if (rc != RC_OK) {
        access_close(&access);
        return rc;
    }
    access_close(&collector->access);
    collector->access = access;
    return RC_OK;
}

enum rc collector_apply(struct collector *collector, const struct serve_settings *settings,
                        struct err *err)
{
    enum rc rc = read_access(collector, settings, err);
    if (rc == RC_OK)
        rc = target_list_reload(&collector->targets, settings, err);
    if (rc != RC_OK)
        return rc;
    target_list_look(&collector->targets);
    collector->settings = *settings;
    set_ticks(collector->ticks, settings->metrics.interval);
    set_ticks(collector->looks, settings->targets.interval);
    return fronts_renew(collector, err);
}

static void tell_ready(struct collector *collector)
{
    const struct collector_host *host = collector->host;
    listeners_announce(&collector->listeners, collector->settings.tls.certificate);
    if (host->ready)
        host->ready(host->context, &collector->listeners);
    notify_send("READY=1");
}

static enum rc begin(struct collector *collector, struct err *err)
{
    enum rc rc = target_list_init(&collector->targets, &collector->settings, err);
    if (rc == RC_OK)
        rc = open_listeners(collector, err);
    if (rc == RC_OK)
        rc = read_access(collector, &collector->settings, err);
    if (rc != RC_OK)
        return rc;
    collector->signals = open_signals();
    collector->ticks = open_ticks(collector->settings.metrics.interval);
    collector->looks = open_ticks(collector->settings.targets.interval);
    if (collector->signals < 0 || collector->ticks < 0 || collector->looks < 0)
        return limits_sys(err, RC_LIMIT, errno, "cannot start a server");
    collector->requests = http_counts_new();
    rc = fronts_start(collector, err);
    if (rc == RC_OK)
        tell_ready(collector);
    return rc;
}

// --- the loop ---

static bool has_expired(int timer)
{
    uint64_t times;
    return read(timer, &times, sizeof times) == sizeof times;
}

static void take_tick(struct collector *collector)
{
    if (!has_expired(collector->ticks))
        return;
    target_list_read(&collector->targets, &collector->settings);
    questions_tell(collector);
    collector->front_deaths = 0;
}

// Those that are stuck are found here: their channels are never ready.
static void take_look(struct collector *collector)
{
    if (!has_expired(collector->looks))
        return;
    target_list_look(&collector->targets);
    for (size_t i = collector->helper_count; i-- > 0;)
        questions_answer(collector, collector->helpers[i], 0);
    fronts_check(collector);
    worker_process_reap();
}

// Helpers that go while others are looked at move the last one to their place.
static void take_answers(struct collector *collector, const struct pollfd *fds, size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (fds[i].revents && i < collector->helper_count &&
            collector->helpers[i]->process.channel == fds[i].fd)
            questions_answer(collector, collector->helpers[i], fds[i].revents);
}

enum { SIGNALS, TICKS, LOOKS, FRONTS, HELPERS = FRONTS + FRONTS_MOST }; // what is waited for

static enum rc take(struct collector *collector, const struct pollfd *fds, size_t helpers,
                    struct err *err)
{
    take_answers(collector, fds + HELPERS, helpers);
    if (fds[SIGNALS].revents)
        control_take_signals(collector);
    if (fds[TICKS].revents)
        take_tick(collector);
    if (fds[LOOKS].revents)
        take_look(collector);
    return fronts_take(collector, fds + FRONTS, err);
}

static enum rc loop(struct collector *collector, struct err *err)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && !control_is_over(collector)) {
        size_t helpers = collector->helper_count;
        AUTO_FREE struct pollfd *fds = xcalloc(HELPERS + helpers, sizeof *fds);
        fds[SIGNALS] = (struct pollfd){.fd = collector->signals, .events = POLLIN};
        fds[TICKS] = (struct pollfd){.fd = collector->ticks, .events = POLLIN};
        fds[LOOKS] = (struct pollfd){.fd = collector->looks, .events = POLLIN};
        fronts_await(collector, fds + FRONTS);
        for (size_t i = 0; i < helpers; i++) {
            const struct worker_process *process = &collector->helpers[i]->process;
            fds[HELPERS + i] = (struct pollfd){.fd = process->channel,
                                               .events = worker_process_events(process)};
        }
        if (poll(fds, HELPERS + helpers, control_patience(collector)) >= 0)
            rc = take(collector, fds, helpers, err);
    }
    return rc;
}

static void end(struct collector *collector)
{
    fronts_end(collector);
    questions_end(collector);
    listeners_close(&collector->listeners);
    access_close(&collector->access);
    http_counts_free(collector->requests);
    cleanup_fd(&collector->signals);
    cleanup_fd(&collector->ticks);
    cleanup_fd(&collector->looks);
    target_list_fini(&collector->targets);
    worker_process_reap_all();
}

enum rc collector_run(const struct serve_settings *settings, const struct collector_host *host,
                      struct err *err)
{
    struct collector collector = {
        .settings = *settings, .host = host, .signals = -1, .ticks = -1, .looks = -1};
    enum rc rc = begin(&collector, err);
    if (rc == RC_OK)
        rc = loop(&collector, err);
    end(&collector);
    return rc;
}
