// SPDX-License-Identifier: MIT
// The processes and threads of a run, by the numbers that samplers gave them. Each has an account
// of all that is known of it, with a member for each concern, which only that concern's file
// changes. A sampler that takes over from one that died gives new numbers to those that still live;
// they keep their accounts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/holds.h"
#include "collect/locks.h"
#include "collect/process_image.h"
#include "collect/short_lived.h"
#include "collect/stack_hint.h"
#include "collect/wall.h"
#include "collect/weights.h"
#include "profile/compact.h"

struct process {
    uint32_t number;
    uint32_t facts; // number of the pid's entry in facts
    pid_t pid;
    bool met;       // by collect/delays.h
    bool nested;    // in another PID namespace than we: its locks name other tids
    bool ended;     // whether its place may be used again
    struct process_image image;
    struct process_weights weights;
    struct weighed sampled;    // how often, and the last value
    uint32_t family, children; // numbers of families (short_lived.h); NO_FAMILY
    uint64_t cpu_ns;   // reported so far
    uint64_t unmet_ns; // part of cpu_ns, of children that were never seen,
    int64_t shared_ns; // and of that, what may be shared
};

struct thread_delays { // zeroed: nothing is known. For collect/delays.h
    pid_t inner_tid;      // in its own PID namespace, as in lock words; 0: it was not met yet
    uint32_t wait;        // where it blocks: number of a struct profile_wait; 0: it ran since
    uint32_t lock;        // that it waits for there, number + 1
    struct holding holds; // what it holds while it blocks
    int64_t asleep_since; // CLOCK_MONOTONIC ns, when it was found where it blocks; 0: it was not
    double stretch;       // time in the queue and running, by running, of the last period; 0: 1
    uint64_t waits;       // voluntary switches up to now
};

struct account { // of a thread
    uint32_t number;
    uint32_t process; // number of its process
    pid_t tid;
    bool ended; // whether its place may be used again
    uint32_t profile_thread;
    struct thread_weights weights;
    struct wall wall;
    struct thread_delays delays;
    struct thread_holds held;
    struct stack_hint hint;
    int64_t since; // first sample, CLOCK_MONOTONIC ns
    bool seen_asleep, asleep_cut; // as of the newest stack that it was blocked in
};

struct population { // Zeroed: empty. Pointers to accounts are valid until the next one is added.
    struct process *processes;
    size_t process_count, process_capacity;
    uint32_t *free_processes; // indices that may be used again
    size_t free_process_count, free_process_capacity;
    struct map process_index; // number -> index
    struct account *threads; // one that has ended keeps its holds until its place is used again
    size_t thread_count, thread_capacity;
    uint32_t *free_threads;
    size_t free_thread_count, free_thread_capacity;
    struct map thread_index;
    struct map left; // tid -> index of threads that only a sampler that has died knew
};

void population_fini(struct population *population);

// Return NULL when no process has this number, or these facts.
struct process *population_process(const struct population *population, uint32_t number);
struct process *population_process_of(const struct population *population, uint32_t facts);

// Adds a process. A number is never given twice.
struct process *population_add_process(struct population *population, uint32_t number,
                                       uint32_t facts);
void population_remove_process(struct population *population, struct process *process);

struct account *population_thread(const struct population *population, uint32_t number);
struct account *population_add_thread(struct population *population, uint32_t number,
                                      uint32_t process, pid_t tid);
void population_remove_thread(struct population *population, struct account *thread);

// Returns the living thread of the process (NULL: of any) that follows `thread` (NULL: the first
// one), or NULL at the end.
struct account *population_next(const struct population *population, const struct process *process,
                                const struct account *thread);

// Gives a process the number under which another sampler reports it. That sampler reports its CPU
// time since the last report, but not which threads used it before the sampler was there: their
// samples share it. The threads have no number until the sampler sees them.
void population_take_over(struct population *population, struct profile *profile,
                          struct process *process, uint32_t number);
bool population_is_left(const struct population *population, const struct account *thread);

// Returns the thread with this tid that has no number, and gives it this one; NULL when there is
// none.
struct account *population_meet(struct population *population, uint32_t number, uint32_t process,
                                pid_t tid);

// Replaces the numbers that compacting the profile has changed.
void population_renumber(struct population *population, const struct compact_numbers *numbers);
