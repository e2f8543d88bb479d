// SPDX-License-Identifier: MIT
#include "sample/reach.h"

#include <sched.h>
#include <stdatomic.h>

#include "base/clock.h"

#define CHECK_NS NS_PER_S
#define CHEAP_CLOCK_NS (5 * NS_PER_US)

// Lists the CPU clocks by which samplers see that nothing ran; those of processes with many threads
// cost too much. The cost of a clock is known when it has been read once.
static void list_clocks(const struct roster *roster, struct cpu_samplers *samplers)
{
    bool cheap = roster->count <= CLOCKS_MAX;
    for (size_t i = 0; i < roster->count && cheap; i++)
        cheap = roster->processes[i]->cpu.read_at &&
                roster->processes[i]->cpu.cost < CHEAP_CLOCK_NS;
    atomic_store(&samplers->orders.clock_count, 0);
    for (size_t i = 0; i < roster->count && cheap; i++)
        samplers->orders.clocks[i] = roster->processes[i]->cpu_clock;
    atomic_store(&samplers->orders.clock_count, cheap ? (int)roster->count : 0);
}

void reach_forget_clocks(struct cpu_samplers *samplers)
{
    atomic_store(&samplers->orders.clock_count, 0);
}

static bool is_realtime(pid_t tid)
{
    int policy = sched_getscheduler(tid) & ~SCHED_RESET_ON_FORK;
    return policy == SCHED_FIFO || policy == SCHED_RR || policy == 6; // SCHED_DEADLINE
}

struct affinity { // of all threads together
    struct reach *reach;
    cpu_set_t *all, *own;
    size_t size;
};

static void add_affinity(void *context, struct thread *thread)
{
    struct affinity *affinity = context;
    if (sched_getaffinity(thread->tid, affinity->size, affinity->own) == 0)
        CPU_OR_S(affinity->size, affinity->all, affinity->all, affinity->own);
    thread->realtime = is_realtime(thread->tid);
    affinity->reach->has_realtime |= thread->realtime;
}

// Of a large process only threads that ran lately are asked, and no CPU is excluded.
static void exclude_cpus(struct reach *reach, const struct roster *roster,
                         struct cpu_samplers *samplers)
{
    struct affinity affinity = {
        .reach = reach,
        .all = CPU_ALLOC(samplers->cpu_count),
        .own = CPU_ALLOC(samplers->cpu_count),
        .size = CPU_ALLOC_SIZE(samplers->cpu_count),
    };
    CPU_ZERO_S(affinity.size, affinity.all);
    reach->has_realtime = false;
    roster_each_likely(roster, add_affinity, &affinity);
    cpu_samplers_exclude(samplers, roster_is_small(roster) ? affinity.all : NULL);
    CPU_FREE(affinity.all);
    CPU_FREE(affinity.own);
}

void reach_check(struct reach *reach, const struct roster *roster, struct cpu_samplers *samplers,
                 int64_t now)
{
    if (reach->checked_at && now - reach->checked_at < CHECK_NS)
        return;
    reach->checked_at = now;
    if (!cpu_samplers_cover(samplers))
        cpu_samplers_start(samplers);
    reach->covered = cpu_samplers_cover(samplers);
    exclude_cpus(reach, roster, samplers);
    list_clocks(roster, samplers);
}

bool reach_lacks(const struct reach *reach, const struct cpu_samplers *samplers,
                 struct thread *thread)
{
    return thread->realtime ||
           (!reach->covered && !cpu_samplers_has(samplers, thread_cpu(thread)));
}
