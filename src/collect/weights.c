// SPDX-License-Identifier: MIT
#include "collect/weights.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/mem.h"

struct value_list { // numbers of values in the profile, one for each sample
    struct weighed {
        uint32_t id, times; // times: samples that it stands for
    } *list;
    size_t count, capacity;
};

struct thread_weights {
    uint32_t process;
    struct value_list current; // samples of this period
    struct value_list previous; // samples of the last period that had any
    uint64_t waiting_ns;   // CPU time of periods without samples
    bool ended;
};

struct process_weights {
    struct value_list short_lived; // samples of threads that ended in this period
    uint64_t handled_ns;       // of the CPU time that no thread accounts for
    uint64_t unknown_ns;       // all of it so far
    uint64_t leftover_ns;      // of threads that ended without a sample to take it
    bool renumbered;           // and what was open then has not been shared out
};

struct weights {
    struct profile *profile;
    struct map thread_index, process_index; // number -> index
    struct thread_weights *threads;
    size_t thread_count, thread_capacity;
    uint32_t *free_threads; // indices to use again
    size_t free_count, free_capacity;
    struct process_weights *processes;
    size_t process_count, process_capacity;
    uint32_t *free_processes; // indices to use again
    size_t free_process_count, free_process_capacity;
};

#define NONE UINT32_MAX

static void values_add(struct value_list *values, struct weighed sample)
{
    ARRAY_RESERVE(values->list, values->count, values->capacity);
    values->list[values->count++] = sample;
}

struct weights *weights_new(struct profile *profile)
{
    struct weights *weights = xcalloc(1, sizeof *weights);
    weights->profile = profile;
    return weights;
}

void weights_free(struct weights *weights)
{
    if (!weights)
        return;
    for (size_t i = 0; i < weights->thread_count; i++) {
        free(weights->threads[i].current.list);
        free(weights->threads[i].previous.list);
    }
    for (size_t i = 0; i < weights->process_count; i++)
        free(weights->processes[i].short_lived.list);
    free(weights->threads);
    free(weights->free_threads);
    free(weights->processes);
    free(weights->free_processes);
    map_fini(&weights->thread_index);
    map_fini(&weights->process_index);
    free(weights);
}

static uint32_t fresh_thread(struct weights *weights)
{
    if (weights->free_count)
        return weights->free_threads[--weights->free_count];
    ARRAY_RESERVE(weights->threads, weights->thread_count, weights->thread_capacity);
    weights->threads[weights->thread_count] = (struct thread_weights){0};
    return (uint32_t)weights->thread_count++;
}

static struct thread_weights *thread_of(struct weights *weights, uint32_t process, uint32_t number)
{
    uint32_t index = map_get(&weights->thread_index, number, NONE);
    if (index == NONE) {
        index = fresh_thread(weights);
        weights->threads[index].process = process;
        weights->threads[index].ended = false;
        map_put(&weights->thread_index, number, index);
    }
    return &weights->threads[index];
}

static uint32_t fresh_process(struct weights *weights)
{
    if (weights->free_process_count)
        return weights->free_processes[--weights->free_process_count];
    ARRAY_RESERVE(weights->processes, weights->process_count, weights->process_capacity);
    weights->processes[weights->process_count] = (struct process_weights){0};
    return (uint32_t)weights->process_count++;
}

static struct process_weights *process_of(struct weights *weights, uint32_t number)
{
    uint32_t index = map_get(&weights->process_index, number, NONE);
    if (index == NONE) {
        index = fresh_process(weights);
        map_put(&weights->process_index, number, index);
    }
    return &weights->processes[index];
}

// Equal parts; what does not divide goes one by one to the first.
static void share_out(struct weights *weights, const struct value_list *values, uint64_t cpu_ns)
{
    uint64_t all = 0;
    for (size_t i = 0; i < values->count; i++)
        all += values->list[i].times;
    uint64_t part = cpu_ns / all, rest = cpu_ns % all;
    for (size_t i = 0; i < values->count; i++) {
        uint64_t times = values->list[i].times, more = rest < times ? rest : times;
        profile_add(weights->profile, values->list[i].id, 0, part * times + more);
        rest -= more;
    }
}

static void end_period(struct weights *weights, struct thread_weights *thread)
{
    if (!thread->current.count)
        return;
    share_out(weights, &thread->current, thread->waiting_ns);
    thread->waiting_ns = 0;
    struct value_list swap = thread->previous;
    thread->previous = thread->current;
    thread->current = swap;
    thread->current.count = 0;
}

void weights_sample(struct weights *weights, uint32_t process, uint32_t thread, uint32_t value)
{
    weights_sample_for(weights, process, thread, value, 1);
}

void weights_sample_for(struct weights *weights, uint32_t process, uint32_t thread,
                        uint32_t value, uint32_t times)
{
    profile_add(weights->profile, value, 1, 0);
    values_add(&thread_of(weights, process, thread)->current, (struct weighed){value, times});
}

void weights_thread_time(struct weights *weights, uint32_t process, uint32_t thread,
                         uint64_t cpu_ns)
{
    struct thread_weights *entry = thread_of(weights, process, thread);
    entry->waiting_ns += cpu_ns;
    end_period(weights, entry);
}

static void end_thread(struct weights *weights, struct thread_weights *thread)
{
    struct process_weights *process = process_of(weights, thread->process);
    for (size_t i = 0; i < thread->current.count; i++)
        values_add(&process->short_lived, thread->current.list[i]);
    end_period(weights, thread);
    if (thread->previous.count)
        share_out(weights, &thread->previous, thread->waiting_ns);
    else
        process->leftover_ns += thread->waiting_ns;
    thread->waiting_ns = 0;
    thread->current.count = thread->previous.count = 0;
    thread->ended = true;
}

void weights_thread_end(struct weights *weights, uint32_t process, uint32_t thread,
                        uint64_t cpu_ns)
{
    struct thread_weights *entry = thread_of(weights, process, thread);
    entry->waiting_ns += cpu_ns;
    end_thread(weights, entry);
    ARRAY_RESERVE(weights->free_threads, weights->free_count, weights->free_capacity);
    weights->free_threads[weights->free_count++] =
        map_get(&weights->thread_index, thread, NONE);
    map_remove(&weights->thread_index, thread);
}

static uint64_t open_amount(const struct process_weights *process)
{
    uint64_t unknown =
        process->unknown_ns > process->handled_ns ? process->unknown_ns - process->handled_ns : 0;
    return unknown + process->leftover_ns;
}

// Its place keeps the memory of the list.
uint64_t weights_process_end(struct weights *weights, uint32_t process)
{
    uint32_t index = map_get(&weights->process_index, process, NONE);
    if (index == NONE)
        return 0;
    struct process_weights *entry = &weights->processes[index];
    uint64_t open = open_amount(entry);
    *entry = (struct process_weights){.short_lived = entry->short_lived};
    entry->short_lived.count = 0;
    map_remove(&weights->process_index, process);
    ARRAY_RESERVE(weights->free_processes, weights->free_process_count,
                  weights->free_process_capacity);
    weights->free_processes[weights->free_process_count++] = index;
    return open;
}

void weights_process_renumber(struct weights *weights, uint32_t process, uint32_t number)
{
    uint32_t index = map_get(&weights->process_index, process, NONE);
    if (index == NONE)
        return;
    struct process_weights *entry = &weights->processes[index];
    entry->leftover_ns = open_amount(entry);
    entry->handled_ns = entry->unknown_ns = 0;
    entry->renumbered = true;
    map_remove(&weights->process_index, process);
    map_put(&weights->process_index, number, index);
}

static void renumber(struct value_list *list, const uint32_t *values)
{
    for (size_t i = 0; i < list->count; i++)
        list->list[i].id = values[list->list[i].id];
}

void weights_renumber(struct weights *weights, const uint32_t *values)
{
    for (size_t i = 0; i < weights->thread_count; i++) {
        renumber(&weights->threads[i].current, values);
        renumber(&weights->threads[i].previous, values);
    }
    for (size_t i = 0; i < weights->process_count; i++)
        renumber(&weights->processes[i].short_lived, values);
}

// The samples of the period that has just ended.
static void take_previous(const struct weights *weights, uint32_t process,
                          struct value_list *values)
{
    for (size_t i = 0; i < weights->thread_count; i++) {
        const struct thread_weights *thread = &weights->threads[i];
        for (size_t k = 0; thread->process == process && k < thread->previous.count; k++)
            values_add(values, thread->previous.list[k]);
    }
}

void weights_process_time(struct weights *weights, uint32_t process, uint64_t cpu_ns,
                          uint64_t threads_cpu_ns)
{
    struct process_weights *entry = process_of(weights, process);
    // The clocks of running threads and of their process move at different moments: the difference
    // may be below zero for a while.
    entry->unknown_ns = cpu_ns > threads_cpu_ns ? cpu_ns - threads_cpu_ns : 0;
    if (entry->renumbered && !entry->short_lived.count)
        take_previous(weights, process, &entry->short_lived);
    if (!entry->short_lived.count)
        return;
    entry->renumbered = false;
    share_out(weights, &entry->short_lived, open_amount(entry));
    if (entry->unknown_ns > entry->handled_ns)
        entry->handled_ns = entry->unknown_ns;
    entry->leftover_ns = 0;
    entry->short_lived.count = 0;
}

void weights_finish(struct weights *weights)
{
    for (size_t i = 0; i < weights->thread_count; i++)
        if (!weights->threads[i].ended)
            end_thread(weights, &weights->threads[i]);
}
