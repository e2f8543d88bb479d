// SPDX-License-Identifier: MIT
#include "collect/population.h"

#include <stdlib.h>

#include "base/mem.h"

#define NONE UINT32_MAX

void population_fini(struct population *population)
{
    for (size_t i = 0; i < population->process_count; i++)
        process_image_fini(&population->processes[i].image);
    map_fini(&population->process_index);
    map_fini(&population->thread_index);
    map_fini(&population->left);
    free(population->processes);
    free(population->free_processes);
    free(population->threads);
    free(population->free_threads);
    *population = (struct population){0};
}

// --- processes ---

struct process *population_process(const struct population *population, uint32_t number)
{
    uint32_t index = map_get(&population->process_index, number, NONE);
    return index == NONE ? NULL : &population->processes[index];
}

struct process *population_process_of(const struct population *population, uint32_t facts)
{
    for (size_t i = 0; i < population->process_count; i++)
        if (!population->processes[i].ended && population->processes[i].facts == facts)
            return &population->processes[i];
    return NULL;
}

static uint32_t process_place(struct population *population)
{
    if (population->free_process_count)
        return population->free_processes[--population->free_process_count];
    ARRAY_RESERVE(population->processes, population->process_count, population->process_capacity);
    return (uint32_t)population->process_count++;
}

struct process *population_add_process(struct population *population, uint32_t number,
                                       uint32_t facts)
{
    uint32_t index = process_place(population);
    population->processes[index] = (struct process){.number = number, .facts = facts};
    map_put(&population->process_index, number, index);
    return &population->processes[index];
}

void population_renumber(struct population *population, struct process *process, uint32_t number)
{
    for (struct sampled_thread *thread = NULL;
         (thread = population_next(population, process->number, thread));)
        thread->process = number;
    map_remove(&population->process_index, process->number);
    map_put(&population->process_index, number, (uint32_t)(process - population->processes));
    process->number = number;
}

void population_remove_process(struct population *population, struct process *process)
{
    process_image_fini(&process->image);
    process->ended = true;
    map_remove(&population->process_index, process->number);
    ARRAY_RESERVE(population->free_processes, population->free_process_count,
                  population->free_process_capacity);
    population->free_processes[population->free_process_count++] =
        (uint32_t)(process - population->processes);
}

// --- threads ---

static uint32_t index_of(const struct population *population, const struct sampled_thread *thread)
{
    return (uint32_t)(thread - population->threads);
}

struct sampled_thread *population_thread(const struct population *population, uint32_t number)
{
    uint32_t index = map_get(&population->thread_index, number, NONE);
    return index == NONE ? NULL : &population->threads[index];
}

static uint32_t thread_place(struct population *population)
{
    if (population->free_thread_count)
        return population->free_threads[--population->free_thread_count];
    ARRAY_RESERVE(population->threads, population->thread_count, population->thread_capacity);
    return (uint32_t)population->thread_count++;
}

struct sampled_thread *population_add_thread(struct population *population, uint32_t number,
                                             uint32_t process, pid_t tid)
{
    uint32_t index = thread_place(population);
    population->threads[index] =
        (struct sampled_thread){.number = number, .process = process, .tid = tid};
    map_put(&population->thread_index, number, index);
    return &population->threads[index];
}

void population_remove_thread(struct population *population, struct sampled_thread *thread)
{
    if (population_is_left(population, thread))
        map_remove(&population->left, (uint64_t)thread->tid);
    else
        map_remove(&population->thread_index, thread->number);
    thread->ended = true;
    ARRAY_RESERVE(population->free_threads, population->free_thread_count,
                  population->free_thread_capacity);
    population->free_threads[population->free_thread_count++] = index_of(population, thread);
}

struct sampled_thread *population_next(const struct population *population, uint32_t process,
                                       const struct sampled_thread *thread)
{
    for (size_t i = thread ? index_of(population, thread) + 1 : 0; i < population->thread_count;
         i++)
        if (!population->threads[i].ended && population->threads[i].process == process)
            return &population->threads[i];
    return NULL;
}

void population_leave(struct population *population, struct sampled_thread *thread)
{
    map_remove(&population->thread_index, thread->number);
    map_put(&population->left, (uint64_t)thread->tid, index_of(population, thread));
}

bool population_is_left(const struct population *population, const struct sampled_thread *thread)
{
    return map_get(&population->left, (uint64_t)thread->tid, NONE) == index_of(population, thread);
}

struct sampled_thread *population_meet(struct population *population, uint32_t number,
                                       uint32_t process, pid_t tid)
{
    uint32_t index = map_get(&population->left, (uint64_t)tid, NONE);
    if (index == NONE || population->threads[index].process != process)
        return NULL;
    map_remove(&population->left, (uint64_t)tid);
    map_put(&population->thread_index, number, index);
    population->threads[index].number = number;
    return &population->threads[index];
}
