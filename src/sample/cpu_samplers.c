// SPDX-License-Identifier: MIT
#include "sample/cpu_samplers.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "sample/task_file.h"

// Reads a list of CPUs such as "1-3,7"; an empty set when there is none.
static void read_cpus(const char *path, cpu_set_t *cpus, size_t size)
{
    char text[4096];
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    CPU_ZERO_S(size, cpus);
    (void)task_file_read(fd, text, sizeof text);
    for (char *at = text; *at >= '0' && *at <= '9';) {
        long first = strtol(at, &at, 10), last = first;
        if (*at == '-')
            last = strtol(at + 1, &at, 10);
        for (long cpu = first; cpu <= last && cpu < (long)(8 * size); cpu++)
            CPU_SET_S((size_t)cpu, size, cpus);
        at += *at == ',';
    }
}

void cpu_samplers_init(struct cpu_samplers *samplers)
{
    size_t size;
    samplers->cpu_count = (int)samplers->orders.control->life_count - 1;
    size = CPU_ALLOC_SIZE(samplers->cpu_count);
    samplers->tickless = CPU_ALLOC(samplers->cpu_count);
    read_cpus("/sys/devices/system/cpu/nohz_full", samplers->tickless, size);
    samplers->of_cpu = xcalloc((size_t)samplers->cpu_count, sizeof *samplers->of_cpu);
    samplers->grace.visits = xcalloc((size_t)samplers->cpu_count, sizeof *samplers->grace.visits);
    atomic_store(&samplers->orders.candidates, xcalloc(1, sizeof(struct candidates)));
}

bool cpu_samplers_lack_ticks(const struct cpu_samplers *samplers)
{
    return CPU_COUNT_S(CPU_ALLOC_SIZE(samplers->cpu_count), samplers->tickless) > 0;
}

void cpu_samplers_start(struct cpu_samplers *samplers)
{
    size_t size = CPU_ALLOC_SIZE(samplers->cpu_count);
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++)
        if (!samplers->of_cpu[cpu] && !CPU_ISSET_S(cpu, size, samplers->tickless)) {
            samplers->of_cpu[cpu] = cpu_sampler_start(&samplers->orders, cpu);
            samplers->orders.started += samplers->of_cpu[cpu] != NULL;
        }
}

bool cpu_samplers_has(const struct cpu_samplers *samplers, int cpu)
{
    return cpu >= 0 && cpu < samplers->cpu_count && samplers->of_cpu[cpu] &&
           atomic_load(&samplers->of_cpu[cpu]->here);
}

bool cpu_samplers_cover(const struct cpu_samplers *samplers)
{
    int here = 0;
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++)
        here += cpu_samplers_has(samplers, cpu);
    return here >= sysconf(_SC_NPROCESSORS_ONLN);
}

static void note_visits(struct cpu_samplers *samplers)
{
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++)
        if (samplers->of_cpu[cpu])
            samplers->grace.visits[cpu] = atomic_load(&samplers->of_cpu[cpu]->visit);
}

static bool all_looked_away(const struct cpu_samplers *samplers)
{
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++) {
        uint64_t then = samplers->grace.visits[cpu];
        if (samplers->of_cpu[cpu] && then % 2 && atomic_load(&samplers->of_cpu[cpu]->visit) == then)
            return false;
    }
    return true;
}

// A thread that a sampler had claimed just before it was retired stays until that is done with it.
static void free_retired(struct retired *old)
{
    size_t kept = 0;
    for (size_t i = 0; i < old->thread_count; i++) {
        if (atomic_load(&old->threads[i]->claim.by))
            old->threads[kept++] = old->threads[i];
        else
            thread_free(old->threads[i]);
    }
    old->thread_count = kept;
    for (size_t i = 0; i < old->process_count && !kept; i++)
        watched_free(old->processes[i]);
    old->process_count = kept ? old->process_count : 0;
}

void cpu_samplers_reclaim(struct cpu_samplers *samplers, struct retired *retired)
{
    struct retired *old = &samplers->grace.retired;
    bool empty = !old->thread_count && !old->process_count;
    if (!empty && all_looked_away(samplers))
        free_retired(old);
    empty = !old->thread_count && !old->process_count;
    if (!empty || (!retired->thread_count && !retired->process_count))
        return;
    struct retired swap = *old;
    *old = *retired;
    *retired = swap;
    note_visits(samplers);
}

// The old list is freed when every sampler has looked away from it, which takes microseconds.
void cpu_samplers_look_among(struct cpu_samplers *samplers, struct candidates *candidates)
{
    struct candidates *old = atomic_exchange(&samplers->orders.candidates, candidates);
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++) {
        struct cpu_sampler *sampler = samplers->of_cpu[cpu];
        uint64_t then = sampler ? atomic_load(&sampler->visit) : 0;
        while (then % 2 && atomic_load(&sampler->visit) == then)
            sched_yield();
    }
    free(old);
}

static void wake_all(struct cpu_samplers *samplers)
{
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++)
        if (samplers->of_cpu[cpu])
            sem_post(&samplers->of_cpu[cpu]->wake);
}

void cpu_samplers_exclude(struct cpu_samplers *samplers, const cpu_set_t *all)
{
    size_t size = CPU_ALLOC_SIZE(samplers->cpu_count);
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++) {
        struct cpu_sampler *sampler = samplers->of_cpu[cpu];
        bool excluded = all && !CPU_ISSET_S(cpu, size, all);
        if (sampler && atomic_exchange(&sampler->excluded, excluded) && !excluded)
            sem_post(&sampler->wake);
    }
}

void cpu_samplers_pause(struct cpu_samplers *samplers, bool pause)
{
    if (atomic_exchange(&samplers->orders.asleep, pause) && !pause)
        wake_all(samplers);
}

void cpu_samplers_stop(struct cpu_samplers *samplers)
{
    atomic_store(&samplers->orders.stop, true);
    wake_all(samplers);
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++)
        if (samplers->of_cpu[cpu])
            cpu_sampler_join(samplers->of_cpu[cpu]);
}
