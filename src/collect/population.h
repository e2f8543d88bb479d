// SPDX-License-Identifier: MIT
// The processes and threads of a run, by the numbers that samplers gave them. A sampler that takes
// over from one that died numbers anew what lives on: it keeps its entry.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/process_image.h"
#include "collect/stack_hint.h"

struct process {
    uint32_t number;
    uint32_t facts; // number of the pid's facts
    bool ended;     // its place is free
    struct process_image image;
    uint64_t cpu_ns;   // told so far
    uint64_t unmet_ns; // of it, its children's that were never met
};

struct sampled_thread {
    uint32_t number;
    uint32_t process; // number
    pid_t tid;
    bool ended; // its place is free
    uint32_t profile_thread;
    struct stack_hint hint;
    uint64_t held_ns;
    int64_t held_since;   // the first time, CLOCK_MONOTONIC ns; 0: not yet
    uint64_t held_before; // as of the last consumer_held
    int64_t held_unreported; // of held_ns, what its sampler has not reported yet
    int64_t since;        // first sample, CLOCK_MONOTONIC ns
    bool met_asleep, asleep_cut; // the newest stack it slept in
};

struct population { // zeroed: nobody. Pointers to entries hold until the next one is added
    struct process *processes;
    size_t process_count, process_capacity;
    uint32_t *free_processes; // indices to use again
    size_t free_process_count, free_process_capacity;
    struct map process_index; // number -> index
    struct sampled_thread *threads;
    size_t thread_count, thread_capacity;
    uint32_t *free_threads;
    size_t free_thread_count, free_thread_capacity;
    struct map thread_index;
    struct map left; // tid -> index: known to a sampler that has died, and to none since
};

void population_fini(struct population *population);

// NULL when there is none with the number, or with the facts.
struct process *population_process(const struct population *population, uint32_t number);
struct process *population_process_of(const struct population *population, uint32_t facts);

// Numbers never come again.
struct process *population_add_process(struct population *population, uint32_t number,
                                       uint32_t facts);
void population_renumber(struct population *population, struct process *process, uint32_t number);
void population_remove_process(struct population *population, struct process *process);

struct sampled_thread *population_thread(const struct population *population, uint32_t number);
struct sampled_thread *population_add_thread(struct population *population, uint32_t number,
                                             uint32_t process, pid_t tid);
void population_remove_thread(struct population *population, struct sampled_thread *thread);

// The living thread of the process that comes after `thread` (NULL: the first one), or NULL.
struct sampled_thread *population_next(const struct population *population, uint32_t process,
                                       const struct sampled_thread *thread);

// Its sampler has died: it has no number until a sampler meets it again.
void population_leave(struct population *population, struct sampled_thread *thread);
bool population_is_left(const struct population *population, const struct sampled_thread *thread);

// One that was left, now under this number; NULL when it was not.
struct sampled_thread *population_meet(struct population *population, uint32_t number,
                                       uint32_t process, pid_t tid);
