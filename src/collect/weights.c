// SPDX-License-Identifier: MIT
#include "collect/weights.h"

#include <stdlib.h>

#include "base/mem.h"

static void add(struct weighed_list *samples, struct weighed sample)
{
    ARRAY_RESERVE(samples->list, samples->count, samples->capacity);
    samples->list[samples->count++] = sample;
}

static void add_all(struct weighed_list *samples, const struct weighed_list *more)
{
    for (size_t i = 0; i < more->count; i++)
        add(samples, more->list[i]);
}

static void renumber(struct weighed_list *samples, const uint32_t *values)
{
    for (size_t i = 0; i < samples->count; i++)
        samples->list[i].value = values[samples->list[i].value];
}

// Shares the time in equal parts; the remainder goes to the first samples, one ns each.
static void share_out(struct profile *profile, const struct weighed_list *samples, uint64_t cpu_ns)
{
    uint64_t all = 0;
    for (size_t i = 0; i < samples->count; i++)
        all += samples->list[i].times;
    uint64_t part = cpu_ns / all, rest = cpu_ns % all;
    for (size_t i = 0; i < samples->count; i++) {
        uint64_t times = samples->list[i].times, more = rest < times ? rest : times;
        profile_add(profile, samples->list[i].value, 0, part * times + more);
        rest -= more;
    }
}

// --- of a thread ---

void weights_thread_fini(struct thread_weights *thread)
{
    free(thread->current.list);
    free(thread->previous.list);
    *thread = (struct thread_weights){0};
}

void weights_sample(struct thread_weights *thread, struct profile *profile, uint32_t value,
                    uint32_t times)
{
    profile_add(profile, value, 1, 0);
    add(&thread->current, (struct weighed){value, times});
}

void weights_thread_time(struct thread_weights *thread, struct profile *profile, uint64_t cpu_ns)
{
    thread->waiting_ns += cpu_ns;
    if (!thread->current.count)
        return;
    share_out(profile, &thread->current, thread->waiting_ns);
    thread->waiting_ns = 0;
    struct weighed_list swap = thread->previous;
    thread->previous = thread->current;
    thread->current = swap;
    thread->current.count = 0;
}

void weights_thread_skip(struct thread_weights *thread)
{
    thread->waiting_ns = 0;
}

void weights_thread_end(struct thread_weights *thread, struct profile *profile,
                        struct process_weights *process, uint64_t cpu_ns)
{
    if (process)
        add_all(&process->short_lived, &thread->current);
    weights_thread_time(thread, profile, cpu_ns);
    if (thread->previous.count)
        share_out(profile, &thread->previous, thread->waiting_ns);
    else if (process)
        process->leftover_ns += thread->waiting_ns;
    weights_thread_fini(thread);
}

void weights_thread_renumber(struct thread_weights *thread, const uint32_t *values)
{
    renumber(&thread->current, values);
    renumber(&thread->previous, values);
}

// --- of a process ---

void weights_process_skip(struct process_weights *process)
{
    if (process->unknown_ns > process->handled_ns)
        process->handled_ns = process->unknown_ns;
    process->leftover_ns = 0;
}

static uint64_t open_amount(const struct process_weights *process)
{
    uint64_t unknown =
        process->unknown_ns > process->handled_ns ? process->unknown_ns - process->handled_ns : 0;
    return unknown + process->leftover_ns;
}

void weights_process_time(struct process_weights *process, struct profile *profile,
                          uint64_t cpu_ns, uint64_t threads_cpu_ns)
{
    // The clocks of running threads and of their process advance at different moments: the
    // difference may be below zero for a while.
    process->unknown_ns = cpu_ns > threads_cpu_ns ? cpu_ns - threads_cpu_ns : 0;
    if (!process->short_lived.count)
        return;
    process->taken_over = false;
    share_out(profile, &process->short_lived, open_amount(process));
    weights_process_skip(process);
    process->short_lived.count = 0;
}

uint64_t weights_process_end(struct process_weights *process)
{
    uint64_t open = open_amount(process);
    free(process->short_lived.list);
    *process = (struct process_weights){0};
    return open;
}

void weights_process_take_over(struct process_weights *process)
{
    process->leftover_ns = open_amount(process);
    process->handled_ns = process->unknown_ns = 0;
    process->taken_over = true;
}

bool weights_process_lacks_samples(const struct process_weights *process)
{
    return process->taken_over && !process->short_lived.count;
}

void weights_process_borrow(struct process_weights *process, const struct thread_weights *thread)
{
    add_all(&process->short_lived, &thread->previous);
}

void weights_process_renumber(struct process_weights *process, const uint32_t *values)
{
    renumber(&process->short_lived, values);
}
