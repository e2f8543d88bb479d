// SPDX-License-Identifier: MIT
// Count, then scale. A sample's weight is not the CPU time since the one before it (the later part
// of a burst would collect more): per thread and period, each sample gets the period's exact CPU
// time divided by its samples. The sums are therefore what the kernel charged.
//
//   CPU time of a period without a sample waits for the thread's next one; at the thread's end it
//   goes to the samples it had last.
//   CPU time of a process that none of its sampled threads accounts for (spent by threads that were
//   never met, or after they were last read) goes to the samples of threads that ended in the same
//   period: they stand for the short-lived ones.
//   What then is left no sample could take: weights_process_end says how much.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"

struct weighed_list {
    struct weighed {
        uint32_t value, times; // its number in the profile; samples that it stands for
    } *list;
    size_t count, capacity;
};

struct thread_weights { // zeroed before its first use
    struct weighed_list current, previous; // of this period; of the last one that had any
    uint64_t waiting_ns; // CPU time of periods without samples
};

struct process_weights { // the same
    struct weighed_list short_lived; // of threads that ended in this period
    uint64_t handled_ns;  // of the CPU time that no thread accounts for
    uint64_t unknown_ns;  // all of it so far
    uint64_t leftover_ns; // of threads that ended without a sample to take it
    bool taken_over;      // and what was open then has not been shared out
};

void weights_thread_fini(struct thread_weights *thread);

// A sample of the thread, counted at once; its CPU time comes with the end of the period. It stands
// for so many of that moment: the others were left out by chance.
void weights_sample(struct thread_weights *thread, struct profile *profile, uint32_t value,
                    uint32_t times);

// The thread used this much CPU time since the last call for it.
void weights_thread_time(struct thread_weights *thread, struct profile *profile, uint64_t cpu_ns);

// The same for the last time. Its process is NULL when that has ended.
void weights_thread_end(struct thread_weights *thread, struct profile *profile,
                        struct process_weights *process, uint64_t cpu_ns);

// Since the beginning: all CPU time of the process, and what of it its sampled threads account for.
void weights_process_time(struct process_weights *process, struct profile *profile,
                          uint64_t cpu_ns, uint64_t threads_cpu_ns);

// The process is gone, and what was to be told of it has been. Returns its CPU time, ns, that no
// sample could take.
uint64_t weights_process_end(struct process_weights *process);

// From now on weights_process_time counts from zero. All threads of the process have ended, for
// their weights: if no sample was there to take what is open now, the next ones do.
void weights_process_take_over(struct process_weights *process);

// Whether that is so, and the samples of each thread's period that has just ended.
bool weights_process_lacks_samples(const struct process_weights *process);
void weights_process_borrow(struct process_weights *process, const struct thread_weights *thread);

// The values of the profile got new numbers.
void weights_thread_renumber(struct thread_weights *thread, const uint32_t *values);
void weights_process_renumber(struct process_weights *process, const uint32_t *values);
