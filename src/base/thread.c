// SPDX-License-Identifier: MIT
#include "base/thread.h"

#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

// Nice 19 would be too much: on two CPUs with twenty busy threads it leaves 0.15 % of one CPU, and
// a thread that waits for a lock held by such a thread waits for seconds.
#define LAST_NICE 5
#define SHORT_SLICE_NS (100 * NS_PER_US)

#define RESET_ON_FORK 1u // SCHED_FLAG_RESET_ON_FORK

struct scheduling { // struct sched_attr, which glibc 2.36 does not know
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

int thread_start(pthread_t *thread, void *(*run)(void *context), void *context)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int errnum = pthread_create(thread, NULL, run, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return errnum;
}

// A thread that had real-time priority by a limit (ulimit -r) may not drop SCHED_RESET_ON_FORK.
void thread_come_late(void)
{
    const struct sched_param none = {0};
    if (sched_setscheduler(0, SCHED_BATCH, &none) != 0) // 0 is the thread, not the process
        sched_setscheduler(0, SCHED_BATCH | SCHED_RESET_ON_FORK, &none);
}

void thread_come_last(void)
{
    thread_come_late();
    setpriority(PRIO_PROCESS, (id_t)gettid(), LAST_NICE);
}

// Before 6.12 the kernel accepts a slice and ignores it.
static bool kernel_has_slices(void)
{
    struct utsname name;
    unsigned major_number = 0, minor_number = 0;
    uname(&name);
    sscanf(name.release, "%u.%u", &major_number, &minor_number);
    return major_number > 6 || (major_number == 6 && minor_number >= 12);
}

bool thread_come_soon(void)
{
    struct scheduling wanted = {
        .size = sizeof wanted, .policy = SCHED_OTHER, .nice = getpriority(PRIO_PROCESS, 0),
        .runtime = SHORT_SLICE_NS};
    long rc = syscall(SYS_sched_setattr, 0, &wanted, 0);
    if (rc != 0) {
        wanted.flags = RESET_ON_FORK;
        rc = syscall(SYS_sched_setattr, 0, &wanted, 0);
    }
    return rc == 0 && kernel_has_slices();
}

bool thread_is_realtime(void)
{
    int policy = sched_getscheduler(0) & ~SCHED_RESET_ON_FORK;
    return policy == SCHED_FIFO || policy == SCHED_RR;
}

void thread_lead(pid_t tid)
{
    struct scheduling own;
    cpu_set_t cpus;
    if (syscall(SYS_sched_getattr, 0, &own, sizeof own, 0) == 0)
        syscall(SYS_sched_setattr, tid, &own, 0);
    if (sched_getaffinity(0, sizeof cpus, &cpus) == 0)
        sched_setaffinity(tid, sizeof cpus, &cpus);
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
