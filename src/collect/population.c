// SPDX-License-Identifier: MIT
#include "collect/population.h"

#include <stdlib.h>

#include "base/mem.h"

#define NONE UINT32_MAX

static void end(struct account *thread)
{
    weights_thread_fini(&thread->weights);
    wall_fini(&thread->wall);
    thread->ended = true;
}

void population_fini(struct population *population)
{
    for (size_t i = 0; i < population->thread_count; i++)
        end(&population->threads[i]);
    for (size_t i = 0; i < population->process_count; i++) {
        weights_process_end(&population->processes[i].weights);
        process_image_fini(&population->processes[i].image);
    }
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
    population->processes[index] = (struct process){
        .number = number, .facts = facts, .family = NO_FAMILY, .children = NO_FAMILY};
    map_put(&population->process_index, number, index);
    return &population->processes[index];
}

void population_remove_process(struct population *population, struct process *process)
{
    weights_process_end(&process->weights);
    process_image_fini(&process->image);
    process->sampled = (struct weighed){0, 0};
    process->ended = true;
    map_remove(&population->process_index, process->number);
    ARRAY_RESERVE(population->free_processes, population->free_process_count,
                  population->free_process_capacity);
    population->free_processes[population->free_process_count++] =
        (uint32_t)(process - population->processes);
}

// --- threads ---

static uint32_t index_of(const struct population *population, const struct account *thread)
{
    return (uint32_t)(thread - population->threads);
}

struct account *population_thread(const struct population *population, uint32_t number)
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

struct account *population_add_thread(struct population *population, uint32_t number,
                                      uint32_t process, pid_t tid)
{
    uint32_t index = thread_place(population);
    population->threads[index] = (struct account){.number = number, .process = process, .tid = tid};
    map_put(&population->thread_index, number, index);
    return &population->threads[index];
}

void population_remove_thread(struct population *population, struct account *thread)
{
    if (population_is_left(population, thread))
        map_remove(&population->left, (uint64_t)thread->tid);
    else
        map_remove(&population->thread_index, thread->number);
    end(thread);
    ARRAY_RESERVE(population->free_threads, population->free_thread_count,
                  population->free_thread_capacity);
    population->free_threads[population->free_thread_count++] = index_of(population, thread);
}

struct account *population_next(const struct population *population, const struct process *process,
                                const struct account *thread)
{
    for (size_t i = thread ? index_of(population, thread) + 1 : 0; i < population->thread_count;
         i++)
        if (!population->threads[i].ended &&
            (!process || population->threads[i].process == process->number))
            return &population->threads[i];
    return NULL;
}

// --- numbers of another sampler ---

// Ends the periods of a thread whose sampler died: what that sampler had not reported is never
// reported.
static void leave(struct population *population, struct profile *profile, struct process *process,
                  struct account *thread)
{
    weights_thread_end(&thread->weights, profile, &process->weights, 0);
    wall_fini(&thread->wall);
    holds_leave(&thread->held);
    map_remove(&population->thread_index, thread->number);
    map_put(&population->left, (uint64_t)thread->tid, index_of(population, thread));
}

void population_take_over(struct population *population, struct profile *profile,
                          struct process *process, uint32_t number)
{
    for (struct account *thread = NULL; (thread = population_next(population, process, thread));)
        if (!population_is_left(population, thread))
            leave(population, profile, process, thread);
    for (struct account *thread = NULL; (thread = population_next(population, process, thread));)
        thread->process = number;
    weights_process_take_over(&process->weights);
    map_remove(&population->process_index, process->number);
    map_put(&population->process_index, number, (uint32_t)(process - population->processes));
    process->number = number;
}

bool population_is_left(const struct population *population, const struct account *thread)
{
    return map_get(&population->left, (uint64_t)thread->tid, NONE) == index_of(population, thread);
}

struct account *population_meet(struct population *population, uint32_t number, uint32_t process,
                                pid_t tid)
{
    uint32_t index = map_get(&population->left, (uint64_t)tid, NONE);
    if (index == NONE || population->threads[index].process != process)
        return NULL;
    map_remove(&population->left, (uint64_t)tid);
    map_put(&population->thread_index, number, index);
    population->threads[index].number = number;
    return &population->threads[index];
}

void population_renumber(struct population *population, const struct compact_numbers *numbers)
{
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));) {
        thread->profile_thread = numbers->threads[thread->profile_thread];
        weights_thread_renumber(&thread->weights, numbers->values);
        wall_renumber(&thread->wall, numbers->stacks);
    }
    for (size_t i = 0; i < population->process_count; i++) {
        struct process *process = &population->processes[i];
        weights_process_renumber(&process->weights, numbers->values);
        if (process->sampled.times)
            process->sampled.value = numbers->values[process->sampled.value];
    }
}
