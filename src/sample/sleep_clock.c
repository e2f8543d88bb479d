// SPDX-License-Identifier: MIT
#include "sample/sleep_clock.h"

#include <fcntl.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/task_file.h"

void sleep_clock_init(struct sleep_clock *clock, const cpu_set_t *allowed)
{
    memset(clock, 0, sizeof *clock);
    CPU_ZERO(&clock->home);
    sched_getaffinity(0, sizeof clock->home, &clock->home);
    clock->allowed = allowed ? *allowed : clock->home;
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
    (void)task_file_read(fd, text, sizeof text);
    int64_t start = (int64_t)task_file_exec_start(text);
    entry->known = start > 0;
    entry->ahead = clock_now() - start;
    sched_setaffinity(0, sizeof clock->home, &clock->home);
}

int64_t sleep_clock_since(struct sleep_clock *clock, int cpu, const char *sched)
{
    int64_t start = (int64_t)task_file_exec_start(sched);
    if (start <= 0 || cpu < 0 || cpu >= SLEEP_CPUS)
        return 0;
    if (!clock->cpus[cpu].asked)
        learn(clock, cpu);
    return clock->cpus[cpu].known ? start + clock->cpus[cpu].ahead : 0;
}
