// SPDX-License-Identifier: MIT
#include "serve/collector.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "serve/collector_state.h"
#include "serve/front/front.h"
#include "serve/notify.h"

#define FRONT_DEATHS_MOST 20 // in a row, each within a second

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
static enum rc read_access(struct collector *collector, struct err *err)
{
    struct access access = {0};
    enum rc rc = access_open(&access, &collector->settings, &collector->listeners, err);
    if (rc != RC_OK) {
        access_close(&access);
        return rc;
    }
    access_close(&collector->access);
    collector->access = access;
    return RC_OK;
}

enum rc collector_apply(struct collector *collector, struct err *err)
{
    set_ticks(collector->ticks, collector->settings.metrics.interval);
    collector->targets.kept = collector->settings.metrics.kept;
    return read_access(collector, err);
}

static enum rc start_front(struct collector *collector, struct err *err)
{
    const struct front_config config = {.listeners = &collector->listeners,
                                        .access = &collector->access,
                                        .settings = &collector->settings};
    return worker_process_start(&collector->front, "ptprof-http", collector->listeners.sockets,
                                front_serve, &config, err);
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
        rc = read_access(collector, err);
    if (rc != RC_OK)
        return rc;
    collector->signals = open_signals();
    collector->ticks = open_ticks(collector->settings.metrics.interval);
    if (collector->signals < 0 || collector->ticks < 0)
        return limits_sys(err, RC_LIMIT, errno, "cannot start a server");
    rc = start_front(collector, err);
    if (rc == RC_OK)
        tell_ready(collector);
    return rc;
}

// --- the loop ---

static void take_tick(struct collector *collector)
{
    uint64_t expired;
    if (read(collector->ticks, &expired, sizeof expired) != sizeof expired)
        return;
    target_list_refresh(&collector->targets);
    target_list_read(&collector->targets, &collector->settings);
    questions_tell(collector);
    collector->front_deaths = 0;
}

// Targets and runs go on; who was connected has to connect again.
static enum rc replace_front(struct collector *collector, struct err *err)
{
    worker_process_close(&collector->front);
    questions_forget(collector);
    if (!collector->front_is_old && ++collector->front_deaths > FRONT_DEATHS_MOST)
        return err_set(err, RC_FAIL, "the process that reads HTTP ends again and again");
    collector->front_is_old = false;
    return start_front(collector, err);
}

static enum rc end_front(struct collector *collector)
{
    worker_process_close(&collector->front);
    questions_forget(collector);
    return RC_OK;
}

static enum rc take_one(struct collector *collector, const struct pollfd *fds, struct err *err)
{
    if (fds[0].revents)
        control_take_signals(collector);
    if (fds[1].revents)
        take_tick(collector);
    if (fds[2].revents && !questions_take(collector))
        return collector->end_by ? end_front(collector) : replace_front(collector, err);
    return collector->front_is_old && !collector->end_by ? replace_front(collector, err) : RC_OK;
}

// Helpers that go while others are looked at move the last one to their place.
static void take_answers(struct collector *collector, const struct pollfd *fds, size_t count)
{
    for (size_t i = count; i-- > 0;)
        if (fds[i].revents && i < collector->helper_count &&
            collector->helpers[i]->process.channel == fds[i].fd)
            (void)questions_answer(collector, collector->helpers[i]);
}

static enum rc loop(struct collector *collector, struct err *err)
{
    enum rc rc = RC_OK;
    while (rc == RC_OK && !control_is_over(collector)) {
        size_t helpers = collector->helper_count;
        AUTO_FREE struct pollfd *fds = xcalloc(helpers + 3, sizeof *fds);
        fds[0] = (struct pollfd){.fd = collector->signals, .events = POLLIN};
        fds[1] = (struct pollfd){.fd = collector->ticks, .events = POLLIN};
        fds[2] = (struct pollfd){.fd = collector->front.channel, .events = POLLIN};
        for (size_t i = 0; i < helpers; i++)
            fds[i + 3] = (struct pollfd){.fd = collector->helpers[i]->process.channel,
                                         .events = POLLIN};
        if (poll(fds, helpers + 3, control_patience(collector)) <= 0)
            continue;
        take_answers(collector, fds + 3, helpers);
        rc = take_one(collector, fds, err);
    }
    return rc;
}

static void end(struct collector *collector)
{
    worker_process_close(&collector->front);
    questions_end(collector);
    listeners_close(&collector->listeners);
    access_close(&collector->access);
    cleanup_fd(&collector->signals);
    cleanup_fd(&collector->ticks);
    target_list_fini(&collector->targets);
    while (waitpid(-1, NULL, 0) > 0)
        continue;
}

enum rc collector_run(const struct serve_settings *settings, const struct collector_host *host,
                      struct err *err)
{
    struct collector collector = {.settings = *settings, .host = host, .signals = -1, .ticks = -1};
    enum rc rc = begin(&collector, err);
    if (rc == RC_OK)
        rc = loop(&collector, err);
    end(&collector);
    return rc;
}
