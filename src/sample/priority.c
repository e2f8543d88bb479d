// SPDX-License-Identifier: MIT
#include "sample/priority.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "process/procfs.h"

// A sampler that forgets to sleep this long is ended by the kernel.
#define RTTIME_US 500000

enum realtime { REALTIME_TAKER = 1, REALTIME_SAMPLER = 2 };

static bool have_realtime(enum realtime priority)
{
    struct sched_param wanted = {.sched_priority = priority};
    return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &wanted) == 0;
}

static bool be_realtime(void)
{
    struct rlimit limit = {RTTIME_US, RTTIME_US};
    return setrlimit(RLIMIT_RTTIME, &limit) == 0 &&
           (have_realtime(REALTIME_SAMPLER) || have_realtime(REALTIME_TAKER));
}

// Returns how many threads of the whole machine run or wait for a CPU, this one among them; -1: not
// known.
static int runnable(void)
{
    char text[128] = "";
    int count = -1;
    AUTO_FD int fd = open("/proc/loadavg", O_RDONLY | O_CLOEXEC);
    if (fd < 0 || read(fd, text, sizeof text - 1) <= 0)
        return -1;
    return sscanf(text, "%*s %*s %*s %d/", &count) == 1 ? count : -1;
}

// Against 75 threads a CPU a tenth of it, and for what takes long the others keep most of theirs.
#define HURRIED_NICE (-10)
#define CROWD 4 // threads that want each CPU: with fewer our turn comes soon enough

int priority_hurry(void)
{
    int before = getpriority(PRIO_PROCESS, 0);
    if (before > HURRIED_NICE && runnable() > CROWD * sysconf(_SC_NPROCESSORS_ONLN))
        setpriority(PRIO_PROCESS, 0, HURRIED_NICE);
    return before;
}

void priority_relax(int nice)
{
    setpriority(PRIO_PROCESS, 0, nice);
}

// Returns whether the calling thread has waited for its CPU for a fifth of the time that it ran; of
// a thread that has just begun that says nothing.
static bool shares_its_cpu(void)
{
    char text[128] = "";
    struct schedstat stat;
    AUTO_FD int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof text - 1) > 0 && schedstat_parse(text, &stat) &&
           stat.run_ns > NS_PER_MS && stat.wait_ns * 5 > stat.run_ns;
}

void priority_gather(cpu_set_t *before)
{
    cpu_set_t ours;
    int cpu = sched_getcpu(), busy = runnable();
    CPU_ZERO(before);
    if (sched_getaffinity(0, sizeof *before, before) != 0 || cpu < 0 || cpu >= CPU_SETSIZE ||
        busy < CPU_COUNT(before) || busy > CROWD * CPU_COUNT(before))
        return;
    CPU_ZERO(&ours);
    CPU_SET(cpu, &ours);
    if (shares_its_cpu() && CPU_COUNT(before) > 1)
        CPU_XOR(&ours, &ours, before);
    sched_setaffinity(0, sizeof ours, &ours);
}

void priority_spread(const cpu_set_t *before)
{
    if (CPU_COUNT(before))
        sched_setaffinity(0, sizeof *before, before);
}

void priority_urgent(bool urgent)
{
    if (!urgent || !be_realtime())
        thread_come_soon();
}

void priority_at_once(void)
{
    if (!have_realtime(REALTIME_TAKER))
        thread_come_soon();
}

void priority_prompt(void)
{
    prctl(PR_SET_TIMERSLACK, 1);
    setpriority(PRIO_PROCESS, 0, -20); // refused without the right to it
    thread_come_soon();
}

struct priority priority_raise(void)
{
    prctl(PR_SET_TIMERSLACK, 1); // the default rounds each sleep up by 50 us
    if (be_realtime())
        return (struct priority){.realtime = true};
    setpriority(PRIO_PROCESS, 0, -20); // refused without the right to it
    return (struct priority){.short_slice = thread_come_soon()};
}
