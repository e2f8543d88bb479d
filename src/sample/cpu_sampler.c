// SPDX-License-Identifier: MIT
#include "sample/cpu_sampler.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/priority.h"
#include "sample/privilege.h"
#include "sample/tracer.h"

#define LATE_NS NS_PER_MS
#define BEHIND_NS (20 * NS_PER_MS)
#define REST_SHARE 5
#define DEBT_NS (100 * NS_PER_MS)
#define ACTIVE_NS NS_PER_S
#define IDLE_TICKS 100     // a second, of all samplers together, while no thread runs
#define TRIES 3            // to find somebody whose memory is not locked
#define COST_TICKS 64      // over which the cost of a tick is averaged
#define SLEEP_MS 500       // a sampler that has nothing to do looks up so often
#define THREAD_STACK (256u << 10)

static double random_share(struct cpu_sampler *sampler)
{
    sampler->random ^= sampler->random << 13;
    sampler->random ^= sampler->random >> 7;
    sampler->random ^= sampler->random << 17;
    return (double)((sampler->random >> 11) + 1) * 0x1p-53;
}

// While nothing runs 64 CPUs need not be woken as often as one.
static double idle_stretch(const struct cpu_samplers *samplers, int64_t now)
{
    double idle = samplers->rate * samplers->started / IDLE_TICKS;
    bool active = now < atomic_load_explicit(&samplers->active_until, memory_order_relaxed);
    return active || idle < 1 ? 1 : idle;
}

// A thread that runs here all the time loses no more of it than it may: to look and then to leave
// the sample out would cost nearly as much.
static double cost_stretch(const struct cpu_sampler *sampler)
{
    double share = sampler->cost_ns * sampler->all->rate / NS_PER_S;
    return share > sampler->all->max_stop ? share / sampler->all->max_stop : 1;
}

// How many times more seldom it ticks than asked for.
static double stretch(const struct cpu_sampler *sampler, int64_t now)
{
    uint32_t slowdown = atomic_load(&sampler->all->control->slowdown);
    return (slowdown ? slowdown : 1) * idle_stretch(sampler->all, now) * cost_stretch(sampler);
}

// Exponential: only ticks that come without memory see what the target does on average. A stop
// changes when its thread runs next; with a least time between ticks, whatever runs right after a
// stop would be missed (C:D of 0.36:0.64 for a true 50:50 on busy CPUs).
static int64_t next_interval(struct cpu_sampler *sampler, int64_t now)
{
    const struct cpu_samplers *samplers = sampler->all;
    return (int64_t)(-log(random_share(sampler)) * NS_PER_S / samplers->rate *
                     stretch(sampler, now));
}

// When to look next. With real-time priority, ticks that take long would take the CPU away from
// everybody: on average they get one part in REST_SHARE of the time.
static int64_t plan_next(struct cpu_sampler *sampler, int64_t planned)
{
    int64_t now = clock_now(), next = planned + next_interval(sampler, now);
    if (next < now - BEHIND_NS) // ticks that were missed for so long are not made up for
        next = now + next_interval(sampler, now);
    int64_t earliest = sampler->rested_at - DEBT_NS / 2;
    return sampler->rested_at - now < DEBT_NS || next > earliest ? next : earliest;
}

static void pay(struct cpu_sampler *sampler, int64_t began)
{
    int64_t now = clock_now();
    sampler->rested_at += REST_SHARE * (now - began);
    if (sampler->rested_at < now)
        sampler->rested_at = now;
}

// --- a tick ---

// Whether no thread of the targets has run since this was asked last: a thread that we displaced
// has been charged for what it ran.
static bool nothing_ran(struct cpu_sampler *sampler)
{
    struct cpu_samplers *samplers = sampler->all;
    int count = atomic_load_explicit(&samplers->clock_count, memory_order_acquire);
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) {
        struct timespec time;
        if (clock_gettime(samplers->clocks[i], &time) == 0)
            sum += (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    }
    bool same = count && sum == sampler->clock_sum;
    sampler->clock_sum = sum;
    return same;
}

static void take(struct cpu_sampler *sampler, struct thread *thread, enum displaced how)
{
    struct look *look = &sampler->look;
    struct control *control = sampler->all->control;
    if (how == DISPLACED_RUNNING) {
        look_ask(look, thread, random_share(sampler));
        return;
    }
    if (!look_in_place(look, thread, &thread->claim.before, CAPTURE_ON_CPU))
        control_count(control, COUNTER_QUEUED, 1); // it is awake again
    claim_release(thread);
}

// If the memory of its process was locked, whoever our waking then displaces is looked at instead.
// Not without real-time priority: we may have waited for our CPU, and that is free when somebody
// goes to sleep.
static enum displaced find(struct cpu_sampler *sampler, struct thread **thread)
{
    struct look *look = &sampler->look;
    struct candidates *candidates = atomic_load(&sampler->all->candidates);
    for (int tries = 0; tries < TRIES; tries++) {
        enum displaced how =
            displaced_find(&sampler->search, candidates, look->woke_at, thread);
        if (how != DISPLACED_RUNNING || !look_had_to_wait(look, *thread) || sampler->search.soon)
            return how;
        claim_release(*thread);
        look->woke_at = clock_now();
    }
    return DISPLACED_BUSY;
}

static void look_for_displaced(struct cpu_sampler *sampler)
{
    struct cpu_samplers *samplers = sampler->all;
    struct thread *thread;
    enum displaced how = find(sampler, &thread);
    switch (how) {
    case DISPLACED_RUNNING:
    case DISPLACED_ASLEEP:
        cpu_samplers_rouse(samplers, sampler->look.woke_at);
        take(sampler, thread, how);
        break;
    case DISPLACED_UNFOUND:
        control_count(samplers->control, COUNTER_UNFOUND, 1);
        break;
    case DISPLACED_BUSY:
        control_count(samplers->control, COUNTER_BUSY, 1);
        break;
    case DISPLACED_WAITED:
        control_count(samplers->control, COUNTER_WAITED, 1);
        claim_release(thread);
        break;
    case DISPLACED_NONE:
        break;
    }
}

static void tick(struct cpu_sampler *sampler, int64_t due)
{
    struct cpu_samplers *samplers = sampler->all;
    struct sign_of_life *life = sampler->look.stops.life;
    int64_t now = clock_now(), tenth = (int64_t)(NS_PER_S / samplers->rate / 10);
    sampler->look.woke_at = now;
    sampler->look.refused = false;
    atomic_fetch_add(&sampler->visit, 1);
    if (!nothing_ran(sampler))
        look_for_displaced(sampler);
    atomic_fetch_add(&sampler->visit, 1);
    atomic_fetch_add(&life->ticks, (uint64_t)(idle_stretch(samplers, now) + 0.5));
    atomic_fetch_add(&life->late, now - due > (tenth < LATE_NS ? tenth : LATE_NS));
    atomic_store_explicit(&samplers->control->behind, now - due, memory_order_relaxed);
}

// --- the thread ---

static bool pin(const struct cpu_sampler *sampler)
{
    size_t size = CPU_ALLOC_SIZE(sampler->all->cpu_count);
    cpu_set_t *cpus = CPU_ALLOC(sampler->all->cpu_count);
    CPU_ZERO_S(size, cpus);
    CPU_SET_S(sampler->cpu, size, cpus);
    bool pinned = sched_setaffinity(0, size, cpus) == 0;
    CPU_FREE(cpus);
    return pinned && sched_getcpu() == sampler->cpu;
}

// A CPU that goes, or a cpuset that changes, moves even who was pinned.
static bool is_here(struct cpu_sampler *sampler)
{
    bool here = sched_getcpu() == sampler->cpu || pin(sampler);
    atomic_store(&sampler->here, here);
    return here;
}

static void sleep_until_woken(struct cpu_sampler *sampler)
{
    int64_t at = clock_now() + SLEEP_MS * NS_PER_MS;
    struct timespec until = {at / NS_PER_S, at % NS_PER_S};
    sem_clockwait(&sampler->wake, CLOCK_MONOTONIC, &until);
}

static void sleep_until(int64_t at)
{
    struct timespec until = {at / NS_PER_S, at % NS_PER_S};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

static bool has_nothing_to_do(struct cpu_sampler *sampler)
{
    return atomic_load(&sampler->all->asleep) || atomic_load(&sampler->excluded) ||
           !is_here(sampler);
}

// What the last tick took is known when the next one comes. A look that a thread's budget refused
// counts as with the stop that it would have led to, which takes about as long: or the budget would
// go into looks alone.
static void note_cost(struct cpu_sampler *sampler, int64_t before)
{
    int64_t cost_ns = (sampler->look.cost_ns - before) * (sampler->look.refused ? 2 : 1);
    sampler->cost_ns += ((double)cost_ns - sampler->cost_ns) / COST_TICKS;
    if (cost_stretch(sampler) > 1.05)
        atomic_store(&sampler->all->control->counts[COUNTER_RATE_LOWERED], 1);
}

static void sample_until_told(struct cpu_sampler *sampler)
{
    struct cpu_samplers *samplers = sampler->all;
    int64_t next = clock_now() + next_interval(sampler, clock_now()), cost_before = 0;
    while (!atomic_load(&samplers->stop)) {
        look_await(&sampler->look, next);
        if (clock_now() < next) {
            displaced_rest(&sampler->search);
            sleep_until(next);
            continue;
        }
        if (has_nothing_to_do(sampler)) {
            if (!sampler->look.stops.count)
                sleep_until_woken(sampler);
            next = clock_now() + next_interval(sampler, clock_now());
            continue;
        }
        int64_t due = next;
        note_cost(sampler, cost_before);
        cost_before = sampler->look.cost_ns;
        sampler->look.until = next = plan_next(sampler, due);
        tick(sampler, due);
        pay(sampler, sampler->look.woke_at);
    }
    look_await(&sampler->look, clock_now() + STOPS_PARTING_NS);
}

static void *run(void *argument)
{
    struct cpu_sampler *sampler = argument;
    struct cpu_samplers *samplers = sampler->all;
    struct err err = {0};
    enum rc rc = tracer_begin_thread(&err);
    if (rc != RC_OK) {
        atomic_store(&sampler->here, false);
        return NULL;
    }
    is_here(sampler);
    struct priority priority = priority_raise();
    privilege_drop_nice();
    atomic_store(&samplers->control->counts[COUNTER_REALTIME], priority.realtime);
    atomic_store(&samplers->control->counts[COUNTER_SHORT_SLICE], priority.short_slice);
    displaced_init(&sampler->search, sampler->cpu + 2, sampler->cpu, !priority.realtime);
    look_init(&sampler->look, samplers->control, sampler->cpu + 1);
    sampler->look.max_stop = samplers->max_stop;
    sampler->look.unwind_live = samplers->unwind_live;
    sampler->random = (uint64_t)clock_now() * (uint64_t)(sampler->cpu + 1) | 1;
    sample_until_told(sampler);
    look_fini(&sampler->look);
    displaced_fini(&sampler->search);
    tracer_end_thread();
    return NULL;
}

// --- all of them ---

// Reads a list of CPUs such as "1-3,7"; an empty set when there is none.
static void read_cpus(const char *path, cpu_set_t *cpus, size_t size)
{
    char text[4096] = "";
    AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    CPU_ZERO_S(size, cpus);
    text[got > 0 ? got : 0] = '\0';
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
    samplers->cpu_count = (int)samplers->control->life_count - 1;
    samplers->of_cpu = xcalloc((size_t)samplers->cpu_count, sizeof *samplers->of_cpu);
    samplers->grave.visits = xcalloc((size_t)samplers->cpu_count, sizeof *samplers->grave.visits);
    atomic_store(&samplers->candidates, xcalloc(1, sizeof(struct candidates)));
}

static bool start(struct cpu_samplers *samplers, int cpu)
{
    struct cpu_sampler *sampler = xcalloc(1, sizeof *sampler);
    pthread_attr_t attributes;
    size_t size = CPU_ALLOC_SIZE(samplers->cpu_count);
    cpu_set_t *cpus = CPU_ALLOC(samplers->cpu_count);
    sampler->all = samplers;
    sampler->cpu = cpu;
    atomic_store(&sampler->here, true);
    sem_init(&sampler->wake, 0, 0);
    CPU_ZERO_S(size, cpus);
    CPU_SET_S(cpu, size, cpus);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    pthread_attr_setaffinity_np(&attributes, size, cpus); // refused where it may not be
    bool started = pthread_create(&sampler->thread, &attributes, run, sampler) == 0;
    pthread_attr_destroy(&attributes);
    CPU_FREE(cpus);
    if (started)
        samplers->of_cpu[cpu] = sampler;
    else
        free(sampler);
    samplers->started += started;
    return started;
}

// Where CPUs run without ticks timers fire on another one, which is what a sampler is to avoid.
int cpu_samplers_start(struct cpu_samplers *samplers)
{
    int started = 0;
    size_t size = CPU_ALLOC_SIZE(samplers->cpu_count);
    cpu_set_t *tickless = CPU_ALLOC(samplers->cpu_count);
    read_cpus("/sys/devices/system/cpu/nohz_full", tickless, size);
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++)
        if (!samplers->of_cpu[cpu] && !CPU_ISSET_S(cpu, size, tickless))
            started += start(samplers, cpu);
    CPU_FREE(tickless);
    return started;
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
            samplers->grave.visits[cpu] = atomic_load(&samplers->of_cpu[cpu]->visit);
}

static bool all_looked_away(const struct cpu_samplers *samplers)
{
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++) {
        uint64_t then = samplers->grave.visits[cpu];
        if (samplers->of_cpu[cpu] && then % 2 && atomic_load(&samplers->of_cpu[cpu]->visit) == then)
            return false;
    }
    return true;
}

// A thread that a sampler had claimed just before it went stays until that has let it go.
static void free_buried(struct retired *buried)
{
    size_t kept = 0;
    for (size_t i = 0; i < buried->thread_count; i++) {
        if (atomic_load(&buried->threads[i]->claim.by))
            buried->threads[kept++] = buried->threads[i];
        else
            thread_free(buried->threads[i]);
    }
    buried->thread_count = kept;
    for (size_t i = 0; i < buried->process_count && !kept; i++)
        watched_free(buried->processes[i]);
    buried->process_count = kept ? buried->process_count : 0;
}

void cpu_samplers_bury(struct cpu_samplers *samplers, struct retired *retired)
{
    struct retired *buried = &samplers->grave.retired;
    bool empty = !buried->thread_count && !buried->process_count;
    if (!empty && all_looked_away(samplers))
        free_buried(buried);
    empty = !buried->thread_count && !buried->process_count;
    if (!empty || (!retired->thread_count && !retired->process_count))
        return;
    struct retired swap = *buried;
    *buried = *retired;
    *retired = swap;
    note_visits(samplers);
}

// The old list is freed when every sampler has looked away from it, which takes microseconds.
void cpu_samplers_look_among(struct cpu_samplers *samplers, struct candidates *candidates)
{
    struct candidates *old = atomic_exchange(&samplers->candidates, candidates);
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
    if (atomic_exchange(&samplers->asleep, pause) && !pause)
        wake_all(samplers);
}

void cpu_samplers_rouse(struct cpu_samplers *samplers, int64_t now)
{
    int64_t until = now + ACTIVE_NS;
    atomic_store_explicit(&samplers->active_until, until, memory_order_relaxed);
}

void cpu_samplers_stop(struct cpu_samplers *samplers)
{
    atomic_store(&samplers->stop, true);
    wake_all(samplers);
    for (int cpu = 0; cpu < samplers->cpu_count; cpu++) {
        struct cpu_sampler *sampler = samplers->of_cpu[cpu];
        struct timespec moment = {.tv_nsec = NS_PER_MS};
        while (sampler && pthread_tryjoin_np(sampler->thread, NULL) == EBUSY) {
            tracer_disturb(sampler->thread);
            clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
        }
    }
}
