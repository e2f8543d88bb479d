// SPDX-License-Identifier: MIT
// Counts samples, then scales them. A sample's weight is not the CPU time since the one before it
// (the later part of a burst would collect more): per thread and period, each sample gets the
// period's exact CPU time divided by its samples. The sums are therefore what the kernel charged.
//
//   CPU time of a period without a sample waits for the thread's next one; at the thread's end it
//   goes to its last samples.
//   CPU time of a process that none of its sampled threads accounts for (used by threads that were
//   never seen, or after they were last read) goes to the samples of threads that ended in the same
//   period: they stand for the short-lived ones.
//   What is left after that is unattributed: weights_process_end returns it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"

struct weighed_list {
    struct weighed {
        uint32_t value, times; // number of the value in the profile; samples that it stands for
    } *list;
    size_t count, capacity;
};

struct thread_weights { // zeroed before its first use
    // Samples of this period, and of the last one that had any.
    struct weighed_list current, previous;
    uint64_t waiting_ns; // CPU time of periods without samples
};

struct process_weights { // zeroed before its first use
    struct weighed_list short_lived; // samples of threads that ended in this period
    uint64_t handled_ns;  // part of unknown_ns that was shared out
    uint64_t unknown_ns;  // CPU time that no thread accounts for
    uint64_t leftover_ns; // CPU time of threads that ended without a sample
    bool taken_over; // the time that was open when another sampler took over is not shared out yet
};

void weights_thread_fini(struct thread_weights *thread);

// Counts a sample of the thread at once; its CPU time is added at the end of the period. It stands
// for `times` captures of that moment, of which the others were left out by chance.
void weights_sample(struct thread_weights *thread, struct profile *profile, uint32_t value,
                    uint32_t times);

// Adds the CPU time that the thread has used since the last call for it.
void weights_thread_time(struct thread_weights *thread, struct profile *profile, uint64_t cpu_ns);

// Does the same for the last time. `process` is NULL when its process has ended.
void weights_thread_end(struct thread_weights *thread, struct profile *profile,
                        struct process_weights *process, uint64_t cpu_ns);

// Sets the CPU time of the process since its beginning, and the part that its sampled threads
// account for.
void weights_process_time(struct process_weights *process, struct profile *profile,
                          uint64_t cpu_ns, uint64_t threads_cpu_ns);

// Forget CPU time that was left to the next sample: it comes after a time in which none could.
void weights_thread_skip(struct thread_weights *thread);
void weights_process_skip(struct process_weights *process);

// Ends a process after its last report. Returns its CPU time, ns, that no sample could take.
uint64_t weights_process_end(struct process_weights *process);

// Has weights_process_time count from zero from now on. For their weights, all threads of the
// process have ended: if it has no sample to take the time that is open now, the next ones take it.
void weights_process_take_over(struct process_weights *process);

// Says whether samples are missing after that, and gives the process those of the period of a
// thread that has just ended.
bool weights_process_lacks_samples(const struct process_weights *process);
void weights_process_borrow(struct process_weights *process, const struct thread_weights *thread);

// Replace the numbers of values that compacting the profile has changed.
void weights_thread_renumber(struct thread_weights *thread, const uint32_t *values);
void weights_process_renumber(struct process_weights *process, const uint32_t *values);
