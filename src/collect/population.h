// SPDX-License-Identifier: MIT
// The processes and threads of a run, by the numbers that samplers gave them, each with an account
// of all that is known of it: a member for each concern, which only that concern's file changes. A
// sampler that takes over from one that died numbers anew what lives on: it keeps its account.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/holds.h"
#include "collect/process_image.h"
#include "collect/stack_hint.h"
#include "collect/wall.h"
#include "collect/weights.h"
#include "profile/compact.h"

struct process {
    uint32_t number;
    uint32_t facts; // number of the pid's facts
    bool ended;     // its place is free
    struct process_image image;
    struct process_weights weights;
    uint64_t cpu_ns;   // told so far
    uint64_t unmet_ns; // of it, its children's that were never met
};

struct account { // of a thread
    uint32_t number;
    uint32_t process; // number
    pid_t tid;
    bool ended; // its place is free
    uint32_t profile_thread;
    struct thread_weights weights;
    struct wall wall;
    struct thread_holds held;
    struct stack_hint hint;
    int64_t since; // first sample, CLOCK_MONOTONIC ns
    bool seen_asleep, asleep_cut; // the newest stack it slept in
};

struct population { // zeroed: nobody. Pointers to accounts hold until the next one is added
    struct process *processes;
    size_t process_count, process_capacity;
    uint32_t *free_processes; // indices to use again
    size_t free_process_count, free_process_capacity;
    struct map process_index; // number -> index
    struct account *threads; // one that has ended keeps what it was held until it is used again
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
void population_remove_process(struct population *population, struct process *process);

struct account *population_thread(const struct population *population, uint32_t number);
struct account *population_add_thread(struct population *population, uint32_t number,
                                      uint32_t process, pid_t tid);
void population_remove_thread(struct population *population, struct account *thread);

// The living thread of the process (NULL: of any) that comes after `thread` (NULL: the first one),
// or NULL.
struct account *population_next(const struct population *population, const struct process *process,
                                const struct account *thread);

// Another sampler tells of the process, under this number. It tells of the CPU time since the last
// report, but not which threads used it before it came: their samples share that. Its threads have
// no number until it meets them.
void population_take_over(struct population *population, struct profile *profile,
                          struct process *process, uint32_t number);
bool population_is_left(const struct population *population, const struct account *thread);

// One that has no number, now under this one; NULL when there is none.
struct account *population_meet(struct population *population, uint32_t number, uint32_t process,
                                pid_t tid);

// The profile has been compacted.
void population_renumber(struct population *population, const struct compact_numbers *numbers);
