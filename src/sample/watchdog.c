// SPDX-License-Identifier: MIT
#include "sample/watchdog.h"

#include <signal.h>
#include <time.h>

#include "base/clock.h"

#define PATIENCE_NS (50 * NS_PER_MS) // that a thread may be held, or the sampler be silent about it
#define LOOK_NS (20 * NS_PER_MS)

static void look(struct watchdog *watchdog)
{
    int64_t busy_since = atomic_load(&watchdog->control->busy_since);
    pid_t sampler = atomic_load(&watchdog->sampler);
    if (!busy_since || !sampler || clock_now() - busy_since < PATIENCE_NS)
        return;
    kill(sampler, SIGKILL);
    atomic_store(&watchdog->sampler, 0);
    atomic_fetch_add(&watchdog->kills, 1);
}

static void *watch(void *argument)
{
    struct watchdog *watchdog = argument;
    struct timespec interval = {.tv_nsec = LOOK_NS};
    while (!atomic_load(&watchdog->stop)) {
        look(watchdog);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &interval, NULL);
    }
    return NULL;
}

enum rc watchdog_start(struct watchdog *watchdog, struct control *control, struct err *err)
{
    sigset_t all, before;
    *watchdog = (struct watchdog){.control = control};
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); // signals are the business of the other threads
    int failed = pthread_create(&watchdog->thread, NULL, watch, watchdog);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return failed ? err_sys(err, RC_FAIL, failed, "cannot start the watchdog") : RC_OK;
}

void watchdog_stop(struct watchdog *watchdog)
{
    atomic_store(&watchdog->stop, 1);
    pthread_join(watchdog->thread, NULL);
}
