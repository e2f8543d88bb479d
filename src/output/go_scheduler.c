// SPDX-License-Identifier: MIT
#include "output/go_scheduler.h"

#include <stdlib.h>

#include "base/mem.h"

#define BEYOND_MAX 65536 // Ps of no CPU; readers have numbers of their own from a million on

void go_scheduler_init(struct go_scheduler *scheduler, struct go_encoder *encoder, size_t threads,
                       uint32_t cpus)
{
    *scheduler = (struct go_scheduler){.encoder = encoder, .cpus = cpus};
    scheduler->threads = xcalloc(threads + 1, sizeof *scheduler->threads);
}

void go_scheduler_fini(struct go_scheduler *scheduler)
{
    free(scheduler->threads);
    free(scheduler->ps);
    free(scheduler->idle);
}

static void put(struct go_scheduler *scheduler, uint32_t p, enum go_event event,
                const uint64_t *numbers, size_t count)
{
    go_encoder_event(scheduler->encoder, p, scheduler->now, event, numbers, count);
}

static void put_stack(struct go_scheduler *scheduler, uint32_t p, enum go_event event,
                      uint64_t stack)
{
    put(scheduler, p, event, &stack, 1);
}

void go_scheduler_count(struct go_scheduler *scheduler)
{
    uint64_t count = scheduler->p_count ? scheduler->p_count : 1;
    if (count < scheduler->cpus)
        count = scheduler->cpus;
    put(scheduler, GO_NOBODY, GO_GOMAXPROCS, (const uint64_t[]){count, 0}, 2);
}

static struct go_p *p_at(struct go_scheduler *scheduler, uint32_t p)
{
    while (scheduler->p_count <= p) {
        ARRAY_RESERVE(scheduler->ps, scheduler->p_count, scheduler->p_capacity);
        scheduler->ps[scheduler->p_count++] = (struct go_p){.runner = GO_NO_THREAD};
    }
    return &scheduler->ps[p];
}

static void start(struct go_scheduler *scheduler, struct go_thread *thread, uint32_t p)
{
    struct go_p *at = p_at(scheduler, p);
    if (!at->on)
        put(scheduler, p, GO_PROC_START, (const uint64_t[]){(uint64_t)p + 1}, 1);
    put(scheduler, p, GO_START, (const uint64_t[]){thread->id, thread->sequence++}, 2);
    at->on = true;
    at->runner = (uint32_t)(thread - scheduler->threads);
    thread->state = GO_RUNNING;
    thread->p = p;
}

static void leave(struct go_scheduler *scheduler, struct go_thread *thread, enum go_state state)
{
    scheduler->ps[thread->p].runner = GO_NO_THREAD;
    thread->state = state;
    if (thread->p <= scheduler->cpus)
        return;
    ARRAY_RESERVE(scheduler->idle, scheduler->idle_count, scheduler->idle_capacity);
    scheduler->idle[scheduler->idle_count++] = thread->p;
}

static void step_on(struct go_scheduler *scheduler, struct go_thread *thread)
{
    if (thread->state == GO_RUNNABLE)
        start(scheduler, thread, scheduler->cpus);
}

void go_scheduler_create(struct go_scheduler *scheduler, uint32_t thread, uint64_t name)
{
    struct go_thread *made = &scheduler->threads[thread];
    put(scheduler, GO_NOBODY, GO_CREATE, (const uint64_t[]){made->id, name, 0}, 3);
    made->state = GO_RUNNABLE;
    made->sequence = 1;
    made->born = scheduler->now;
}

// Returns a P of no CPU that runs nobody; GO_NOBODY if there are too many.
static uint32_t idle_p(struct go_scheduler *scheduler)
{
    if (scheduler->idle_count)
        return scheduler->idle[--scheduler->idle_count];
    p_at(scheduler, scheduler->cpus);
    if (scheduler->p_count >= (size_t)scheduler->cpus + BEYOND_MAX)
        return GO_NOBODY;
    return (uint32_t)scheduler->p_count;
}

static void give_way(struct go_scheduler *scheduler, uint32_t p)
{
    uint32_t runner = p_at(scheduler, p)->runner;
    if (runner == GO_NO_THREAD)
        return;
    go_scheduler_preempt(scheduler, runner, 0);
    scheduler->cut++;
}

void go_scheduler_run(struct go_scheduler *scheduler, uint32_t thread, uint32_t cpu)
{
    struct go_thread *runner = &scheduler->threads[thread];
    if (runner->state != GO_RUNNABLE)
        return;
    uint32_t p = cpu == GO_NOBODY ? idle_p(scheduler) : cpu;
    if (p == GO_NOBODY) {
        scheduler->cut++;
        return;
    }
    give_way(scheduler, p);
    start(scheduler, runner, p);
}

void go_scheduler_preempt(struct go_scheduler *scheduler, uint32_t thread, uint64_t stack)
{
    struct go_thread *runner = &scheduler->threads[thread];
    step_on(scheduler, runner);
    put_stack(scheduler, runner->p, GO_PREEMPT, stack);
    leave(scheduler, runner, GO_RUNNABLE);
}

// A P whose goroutine blocks in a system call stops: until then readers take it for that
// goroutine's.
void go_scheduler_block(struct go_scheduler *scheduler, uint32_t thread, enum go_event event,
                        uint64_t stack)
{
    struct go_thread *runner = &scheduler->threads[thread];
    step_on(scheduler, runner);
    put_stack(scheduler, runner->p, event, stack);
    if (event != GO_SYSCALL) {
        leave(scheduler, runner, GO_WAITING);
        return;
    }
    put(scheduler, runner->p, GO_SYSCALL_BLOCK, NULL, 0);
    put(scheduler, runner->p, GO_PROC_STOP, NULL, 0);
    scheduler->ps[runner->p].on = false;
    leave(scheduler, runner, GO_IN_SYSCALL);
}

bool go_scheduler_waits(const struct go_scheduler *scheduler, uint32_t thread)
{
    enum go_state state = scheduler->threads[thread].state;
    return state == GO_WAITING || state == GO_IN_SYSCALL;
}

void go_scheduler_wake(struct go_scheduler *scheduler, uint32_t thread, uint32_t by,
                       uint64_t stack)
{
    struct go_thread *sleeper = &scheduler->threads[thread];
    uint32_t p = by == GO_NO_THREAD ? GO_NOBODY : scheduler->threads[by].p;
    if (sleeper->state == GO_IN_SYSCALL)
        put(scheduler, GO_NOBODY, GO_SYSCALL_EXIT,
            (const uint64_t[]){sleeper->id, sleeper->sequence, 0}, 3);
    else
        put(scheduler, p, GO_UNBLOCK, (const uint64_t[]){sleeper->id, sleeper->sequence, stack},
            3);
    sleeper->sequence++;
    sleeper->state = GO_RUNNABLE;
}

void go_scheduler_end(struct go_scheduler *scheduler, uint32_t thread)
{
    struct go_thread *runner = &scheduler->threads[thread];
    step_on(scheduler, runner);
    put(scheduler, runner->p, GO_END, NULL, 0);
    leave(scheduler, runner, GO_DEAD);
}

// A reader may meet a sample before other events of the same time, and must know the goroutine.
void go_scheduler_sample(struct go_scheduler *scheduler, uint32_t thread, uint64_t stack)
{
    const struct go_thread *runner = &scheduler->threads[thread];
    uint64_t time = scheduler->now > runner->born ? scheduler->now : runner->born + 1;
    put(scheduler, runner->p, GO_CPU_SAMPLE,
        (const uint64_t[]){time, runner->p, runner->id, stack}, 4);
}

void go_scheduler_log(struct go_scheduler *scheduler, uint32_t thread, uint64_t key,
                      const char *text)
{
    struct go_thread *runner = &scheduler->threads[thread];
    bool ran = runner->state == GO_RUNNING;
    step_on(scheduler, runner);
    go_encoder_log(scheduler->encoder, runner->p, scheduler->now, key, text);
    if (!ran)
        go_scheduler_preempt(scheduler, thread, 0);
}
