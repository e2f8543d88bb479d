// SPDX-License-Identifier: MIT
#include "sample/orphan.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/clock.h"

#define ORPHANED SIGUSR2
#define PATIENCE_NS (2ll * NS_PER_S)

// A signal handler has no other way to these.
static struct control *control_to_stop;
static timer_t killer; // sends SIGKILL, which a stopped process takes too
static bool has_killer;

static void on_orphaned(int signal)
{
    int saved = errno;
    (void)signal;
    atomic_store(&control_to_stop->stop, 1);
    errno = saved;
}

void orphan_prepare(struct control *control)
{
    struct sigevent kill = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGKILL};
    struct sigaction action = {.sa_handler = on_orphaned, .sa_flags = SA_RESTART};
    sigset_t orphaned;
    has_killer = timer_create(CLOCK_MONOTONIC, &kill, &killer) == 0;
    if (!has_killer)
        return; // as sampler_fork has left it
    control_to_stop = control;
    sigemptyset(&orphaned);
    sigaddset(&orphaned, ORPHANED);
    sigaction(ORPHANED, &action, NULL);
    sigprocmask(SIG_UNBLOCK, &orphaned, NULL);
    prctl(PR_SET_PDEATHSIG, ORPHANED);
}

void orphan_promise(int64_t next)
{
    int64_t at = next + PATIENCE_NS;
    struct itimerspec end = {.it_value = {at / NS_PER_S, at % NS_PER_S}};
    if (has_killer)
        timer_settime(killer, TIMER_ABSTIME, &end, NULL);
}
