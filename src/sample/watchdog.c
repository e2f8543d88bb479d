// SPDX-License-Identifier: MIT
#include "sample/watchdog.h"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE_NS (50 * NS_PER_MS) // that a thread may be held, or the sampler be silent about it
#define LOOK_NS (20 * NS_PER_MS)

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
    // In this order: the state must not be that of an older sampler, nor older than the clock, for
    // we may be kept waiting for a CPU at any of these lines.
    int sampler = atomic_load(&watchdog->sampler);
    int64_t now = clock_now();
    if (sampler >= 0 && is_silent(watchdog->control, now))
        syscall(SYS_pidfd_send_signal, sampler, SIGKILL, NULL, 0);
}

void watchdog_guard(struct watchdog *watchdog, pid_t sampler)
{
    int fd = sampler ? (int)syscall(SYS_pidfd_open, sampler, 0) : -1;
    int old = atomic_exchange(&watchdog->sampler, fd);
    // Never closed under a look that still uses it: the number could mean another process then.
    if (watchdog->retired >= 0)
        close(watchdog->retired);
    watchdog->retired = old;
}

static void *watch(void *argument)
{
    struct watchdog *watchdog = argument;
    struct timespec next;
    do {
        look(watchdog);
        int64_t at = clock_now() + LOOK_NS;
        next = (struct timespec){at / NS_PER_S, at % NS_PER_S};
    } while (sem_clockwait(&watchdog->stop, CLOCK_MONOTONIC, &next) != 0);
    return NULL;
}

enum rc watchdog_start(struct watchdog *watchdog, struct control *control, struct err *err)
{
    sigset_t all, before;
    *watchdog = (struct watchdog){.control = control, .sampler = -1, .retired = -1};
    sem_init(&watchdog->stop, 0, 0);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the business of the other threads
    int failed = pthread_create(&watchdog->thread, NULL, watch, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? err_sys(err, RC_FAIL, failed, "cannot start the watchdog") : RC_OK;
}

void watchdog_stop(struct watchdog *watchdog)
{
    sem_post(&watchdog->stop);
    pthread_join(watchdog->thread, NULL);
    sem_destroy(&watchdog->stop);
    watchdog_guard(watchdog, 0);
    watchdog_guard(watchdog, 0);
}
