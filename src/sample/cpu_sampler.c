// SPDX-License-Identifier: MIT
#include "sample/cpu_sampler.h"

#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"
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
#define AMPLE 0.75         // part of a stop budget: ticks become rarer when less is left,
#define DOUBLINGS 8        // by so many doublings of the time between them for a whole budget,
#define DOUBLINGS_MOST 6   // but not more,
#define FINDS 8            // as an average over so many threads that were found
#define LOWERED 0.25       // doublings: the user is told
#define SLEEP_MS 500       // a sampler that has nothing to do looks up so often
#define THREAD_STACK (256u << 10)

// While nothing runs 64 CPUs need not be woken as often as one.
static double idle_stretch(const struct cpu_orders *orders, int64_t now)
{
    double idle = orders->rate * orders->started / IDLE_TICKS;
    bool active = now < atomic_load_explicit(&orders->active_until, memory_order_relaxed);
    return active || idle < 1 ? 1 : idle;
}

static double stretch(const struct cpu_sampler *sampler, int64_t now)
{
    uint32_t slowdown = atomic_load(&sampler->orders->control->slowdown);
    return (slowdown ? slowdown : 1) * idle_stretch(sampler->orders, now) *
           exp2(sampler->doublings);
}

// Only ticks that come without memory see what the target does on average. A stop changes when its
// thread runs next; with a least time between ticks, whatever runs right after a stop would be
// missed (C:D of 0.36:0.64 for a true 50:50 on busy CPUs).
static int64_t next_interval(struct cpu_sampler *sampler)
{
    double rate = sampler->orders->rate / stretch(sampler, clock_now());
    return random_interval(&sampler->random, rate);
}

// Returns when the next tick is due. With real-time priority, ticks that take long would take the
// CPU away from everybody: on average they get one part in REST_SHARE of the time.
static int64_t plan_next(struct cpu_sampler *sampler, int64_t planned)
{
    int64_t now = clock_now(), next = planned + next_interval(sampler);
    if (next < now - BEHIND_NS) // ticks that were missed for so long are not made up for
        next = now + next_interval(sampler);
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

// Returns whether no thread of the targets has run since this was asked last. The kernel has
// charged a thread that we displaced for what it ran.
static bool nothing_ran(struct cpu_sampler *sampler)
{
    struct cpu_orders *orders = sampler->orders;
    int count = atomic_load_explicit(&orders->clock_count, memory_order_acquire);
    uint64_t sum = 0;
    for (int i = 0; i < count; i++) {
        struct timespec time;
        if (clock_gettime(orders->clocks[i], &time) == 0)
            sum += (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
    }
    bool same = count && sum == sampler->clock_sum;
    sampler->clock_sum = sum;
    return same;
}

// Ticks become rarer as the threads that they find have less of their stop budgets left: to search
// and then to leave the sample out would cost nearly as much. They do so little by little, for what
// a thread does after a stop is to be seen as often as all else.
static void note_budget(struct cpu_sampler *sampler, double left)
{
    double wanted = left < AMPLE ? DOUBLINGS * (AMPLE - left) : 0;
    if (wanted > DOUBLINGS_MOST)
        wanted = DOUBLINGS_MOST;
    sampler->doublings += (wanted - sampler->doublings) / FINDS;
    if (sampler->doublings > LOWERED)
        atomic_store(&sampler->orders->control->counts[COUNTER_RATE_LOWERED], 1);
}

static void take(struct cpu_sampler *sampler, struct thread *thread, enum displaced how)
{
    struct look *look = &sampler->look;
    struct control *control = sampler->orders->control;
    if (how == DISPLACED_RUNNING) {
        look_ask(look, thread, random_share(&sampler->random));
        note_budget(sampler, look->left);
        return;
    }
    if (!look_in_place(look, thread, &thread->claim.before, CAPTURE_ON_CPU))
        control_count(control, COUNTER_QUEUED, 1); // it is awake again
    claim_release(thread);
}

// If the memory of its process was locked, the thread that our waking then displaces is sampled
// instead. Without real-time priority it is not: we may have waited for our CPU, which becomes free
// when a thread goes to sleep.
static enum displaced find(struct cpu_sampler *sampler, struct thread **thread)
{
    struct look *look = &sampler->look;
    struct candidates *candidates = atomic_load(&sampler->orders->candidates);
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
    struct cpu_orders *orders = sampler->orders;
    struct thread *thread;
    enum displaced how = find(sampler, &thread);
    switch (how) {
    case DISPLACED_RUNNING:
    case DISPLACED_ASLEEP:
        cpu_sampler_rouse(orders, sampler->look.woke_at);
        take(sampler, thread, how);
        break;
    case DISPLACED_UNFOUND:
        control_count(orders->control, COUNTER_UNFOUND, 1);
        break;
    case DISPLACED_BUSY:
        control_count(orders->control, COUNTER_BUSY, 1);
        break;
    case DISPLACED_WAITED:
        control_count(orders->control, COUNTER_WAITED, 1);
        claim_release(thread);
        break;
    case DISPLACED_NONE:
        break;
    }
}

static void tick(struct cpu_sampler *sampler, int64_t due)
{
    struct cpu_orders *orders = sampler->orders;
    struct sign_of_life *life = sampler->look.stops.life;
    int64_t now = clock_now(), tenth = (int64_t)(NS_PER_S / orders->rate / 10);
    sampler->look.woke_at = now;
    atomic_fetch_add(&sampler->visit, 1);
    if (!nothing_ran(sampler))
        look_for_displaced(sampler);
    atomic_fetch_add(&sampler->visit, 1);
    atomic_fetch_add(&life->ticks, (uint64_t)(idle_stretch(orders, now) + 0.5));
    atomic_fetch_add(&life->late, now - due > (tenth < LATE_NS ? tenth : LATE_NS));
    atomic_store_explicit(&orders->control->behind, now - due, memory_order_relaxed);
}

// --- the thread ---

// The set that holds the sampler's CPU alone; to be freed with CPU_FREE.
static cpu_set_t *own_cpu(const struct cpu_sampler *sampler, size_t *size)
{
    cpu_set_t *cpus = CPU_ALLOC(sampler->cpu + 1);
    *size = CPU_ALLOC_SIZE(sampler->cpu + 1);
    CPU_ZERO_S(*size, cpus);
    CPU_SET_S(sampler->cpu, *size, cpus);
    return cpus;
}

static bool pin(const struct cpu_sampler *sampler)
{
    size_t size;
    cpu_set_t *cpus = own_cpu(sampler, &size);
    bool pinned = sched_setaffinity(0, size, cpus) == 0;
    CPU_FREE(cpus);
    return pinned && sched_getcpu() == sampler->cpu;
}

// The kernel moves even a pinned thread when its CPU goes offline or its cpuset changes.
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
    return atomic_load(&sampler->orders->asleep) || atomic_load(&sampler->excluded) ||
           !is_here(sampler);
}

static void sample_until_told(struct cpu_sampler *sampler)
{
    struct cpu_orders *orders = sampler->orders;
    int64_t next = clock_now() + next_interval(sampler);
    while (!atomic_load(&orders->stop)) {
        look_await(&sampler->look, next);
        if (clock_now() < next) {
            displaced_rest(&sampler->search);
            sleep_until(next);
            continue;
        }
        if (has_nothing_to_do(sampler)) {
            if (!sampler->look.stops.count)
                sleep_until_woken(sampler);
            next = clock_now() + next_interval(sampler);
            continue;
        }
        int64_t due = next;
        sampler->look.until = next = plan_next(sampler, due);
        tick(sampler, due);
        pay(sampler, sampler->look.woke_at);
    }
    look_await(&sampler->look, clock_now() + STOPS_DRAIN_NS);
}

static void *run(void *argument)
{
    struct cpu_sampler *sampler = argument;
    struct cpu_orders *orders = sampler->orders;
    struct err err = {0};
    enum rc rc = tracer_begin_thread(&err);
    if (rc != RC_OK) {
        atomic_store(&sampler->here, false);
        return NULL;
    }
    is_here(sampler);
    struct priority priority = priority_raise();
    privilege_drop_nice();
    atomic_store(&orders->control->counts[COUNTER_REALTIME], priority.realtime);
    atomic_store(&orders->control->counts[COUNTER_SHORT_SLICE], priority.short_slice);
    displaced_init(&sampler->search, sampler->cpu + 2, sampler->cpu, !priority.realtime);
    look_init(&sampler->look, orders->control, sampler->cpu + 1);
    sampler->look.max_stop = orders->max_stop;
    sampler->look.unwind_live = orders->unwind_live;
    sampler->random = (uint64_t)clock_now() * (uint64_t)(sampler->cpu + 1) | 1;
    sample_until_told(sampler);
    look_fini(&sampler->look);
    displaced_fini(&sampler->search);
    tracer_end_thread();
    return NULL;
}

struct cpu_sampler *cpu_sampler_start(struct cpu_orders *orders, int cpu)
{
    struct cpu_sampler *sampler = xcalloc(1, sizeof *sampler);
    pthread_attr_t attributes;
    size_t size;
    sampler->orders = orders;
    sampler->cpu = cpu;
    atomic_store(&sampler->here, true);
    sem_init(&sampler->wake, 0, 0);
    cpu_set_t *cpus = own_cpu(sampler, &size);
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, THREAD_STACK);
    pthread_attr_setaffinity_np(&attributes, size, cpus); // refused where it may not be
    bool started = pthread_create(&sampler->thread, &attributes, run, sampler) == 0;
    pthread_attr_destroy(&attributes);
    CPU_FREE(cpus);
    if (started)
        return sampler;
    free(sampler);
    return NULL;
}

void cpu_sampler_join(struct cpu_sampler *sampler)
{
    struct timespec moment = {.tv_nsec = NS_PER_MS};
    while (pthread_tryjoin_np(sampler->thread, NULL) == EBUSY) {
        tracer_disturb(sampler->thread);
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    }
}

void cpu_sampler_rouse(struct cpu_orders *orders, int64_t now)
{
    atomic_store_explicit(&orders->active_until, now + ACTIVE_NS, memory_order_relaxed);
}
