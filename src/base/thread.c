// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

// Not 19: on two CPUs with twenty threads that is 0.15 % of one, and who waits for a lock that such
// a thread holds waits for seconds.
#define LAST_NICE 5

int thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int errnum = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

void thread_come_late(void)
{
    const struct sched_param none = {0};
    sched_setscheduler(0, SCHED_BATCH, &none); // 0: the calling thread, not the process
}

void thread_come_last(void)
{
    thread_come_late();
    setpriority(PRIO_PROCESS, (id_t)gettid(), LAST_NICE);
}

void thread_mutex_recursive(pthread_mutex_t *mutex)
{
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(mutex, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

struct timespec thread_deadline(int milliseconds)
{
    int64_t at = clock_now() + (int64_t)milliseconds * NS_PER_MS;
    return (struct timespec){.tv_sec = at / NS_PER_S, .tv_nsec = at % NS_PER_S};
}

void thread_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}
