// SPDX-License-Identifier: MIT
#include "sample/watchdog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"

#define PATIENCE_NS (50 * NS_PER_MS) // that a thread may be held, or the sampler be silent about it
#define LOOK_MS 20

static bool is_silent(const struct control *control, int64_t now)
{
    for (unsigned i = 0; i < control->life_count; i++) {
        int64_t busy_since = atomic_load(&control->lives[i].busy_since);
        if (busy_since && now - busy_since >= PATIENCE_NS)
            return true;
    }
    return false;
}

static void look(struct watchdog *watchdog)
{
    // The order matters: the state must not be that of an older sampler, nor older than the clock,
    // for we may be kept waiting for a CPU at any of these lines.
    int sampler = atomic_load(&watchdog->sampler);
    int64_t now = clock_now();
    if (sampler >= 0 && is_silent(watchdog->control, now))
        syscall(SYS_pidfd_send_signal, sampler, SIGKILL, NULL, 0);
}

void watchdog_guard(struct watchdog *watchdog, pid_t sampler)
{
    int fd = sampler ? (int)syscall(SYS_pidfd_open, sampler, 0) : -1;
    int old = atomic_exchange(&watchdog->sampler, fd);
    atomic_store(&watchdog->died_at, 0);
    // It is not closed while a look may still use it: the number could mean another process then.
    if (watchdog->retired >= 0)
        close(watchdog->retired);
    watchdog->retired = old;
}

// A sampler whose death has been seen stays readable: it is not waited for any more.
static void *watch(void *argument)
{
    struct watchdog *watchdog = argument;
    struct pollfd fds[] = {{.fd = watchdog->stop_fd, .events = POLLIN}, {.events = POLLIN}};
    while (!fds[0].revents) {
        int sampler = atomic_load(&watchdog->sampler);
        look(watchdog);
        fds[1].fd = atomic_load(&watchdog->died_at) ? -1 : sampler;
        if (poll(fds, ARRAY_LENGTH(fds), LOOK_MS) > 0 && fds[1].revents &&
            atomic_load(&watchdog->sampler) == sampler)
            atomic_store(&watchdog->died_at, clock_now());
    }
    return NULL;
}

int64_t watchdog_last_hold(struct watchdog *watchdog, unsigned number, pid_t *tid)
{
    struct control *control = watchdog->control;
    struct sign_of_life *life = &control->lives[number];
    int64_t since = atomic_exchange(&life->busy_since, 0);
    bool only_reads = atomic_exchange(&life->only_reads, 0);
    int64_t died_at = atomic_load(&watchdog->died_at);
    int64_t lasted = (died_at > since ? died_at : clock_now()) - since;
    *tid = atomic_load(&life->busy_with);
    if (!since || only_reads)
        return 0;
    histogram_add(&control->held, (uint64_t)lasted);
    control_count(control, COUNTER_STOPS, 1);
    return lasted;
}

enum rc watchdog_start(struct watchdog *watchdog, struct control *control, struct err *err)
{
    sigset_t all, before;
    *watchdog = (struct watchdog){.control = control, .sampler = -1, .retired = -1};
    watchdog->stop_fd = eventfd(0, EFD_CLOEXEC);
    if (watchdog->stop_fd < 0)
        return limits_sys(err, RC_FAIL, errno, "cannot start the watchdog");
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the business of the other threads
    int failed = pthread_create(&watchdog->thread, NULL, watch, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!failed)
        return RC_OK;
    close(watchdog->stop_fd);
    return limits_sys(err, RC_FAIL, failed, "cannot start the watchdog");
}

void watchdog_stop(struct watchdog *watchdog)
{
    eventfd_write(watchdog->stop_fd, 1);
    pthread_join(watchdog->thread, NULL);
    close(watchdog->stop_fd);
    watchdog_guard(watchdog, 0);
    watchdog_guard(watchdog, 0);
}
