// SPDX-License-Identifier: MIT
#include "sample/sleep_clock.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

void sleep_clock_init(struct sleep_clock *clock, const cpu_set_t *allowed)
{
    memset(clock, 0, sizeof *clock);
    CPU_ZERO(&clock->home);
    sched_getaffinity(0, sizeof clock->home, &clock->home);
    clock->allowed = allowed ? *allowed : clock->home;
}

// "se.exec_start    :    12295432.981289", in ms with six decimals. -1: it is not there.
static int64_t exec_start(const char *sched)
{
    static const char key[] = "se.exec_start";
    const char *at = strstr(sched, key);
    at = at ? strchr(at, ':') : NULL;
    if (!at)
        return -1;
    char *end;
    long long ms = strtoll(at + 1, &end, 10);
    long long rest = *end == '.' ? strtoll(end + 1, NULL, 10) : 0;
    return ms < 0 || rest < 0 ? -1 : ms * NS_PER_MS + rest;
}

// Arriving on a CPU sets our own exec_start to its clock.
static void learn(struct sleep_clock *clock, int cpu)
{
    struct sleep_cpu *entry = &clock->cpus[cpu];
    cpu_set_t there;
    char text[512];
    entry->asked = true;
    CPU_ZERO(&there);
    CPU_SET(cpu, &there);
    if (!CPU_ISSET(cpu, &clock->allowed) || sched_setaffinity(0, sizeof there, &there) != 0)
        return;
    AUTO_FD int fd = open("/proc/thread-self/sched", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    text[got > 0 ? got : 0] = '\0';
    int64_t start = exec_start(text);
    entry->known = start >= 0;
    entry->ahead = clock_now() - start;
    sched_setaffinity(0, sizeof clock->home, &clock->home);
}

int64_t sleep_clock_since(struct sleep_clock *clock, int cpu, const char *sched)
{
    int64_t start = exec_start(sched);
    if (start <= 0 || cpu < 0 || cpu >= SLEEP_CPUS)
        return 0;
    if (!clock->cpus[cpu].asked)
        learn(clock, cpu);
    return clock->cpus[cpu].known ? start + clock->cpus[cpu].ahead : 0;
}
