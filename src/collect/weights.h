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

#include <stddef.h>
#include <stdint.h>

#include "profile/store.h"

struct weights;

struct weights *weights_new(struct profile *profile);
void weights_free(struct weights *weights);

// A sample of the thread, counted at once; its CPU time comes with the end of the period.
// thread and process are numbers that the caller never uses again for others.
void weights_sample(struct weights *weights, uint32_t process, uint32_t thread, uint32_t value);

// The same of one that stands for so many of that moment: the others were left out by chance.
void weights_sample_for(struct weights *weights, uint32_t process, uint32_t thread,
                        uint32_t value, uint32_t times);

// The thread used this much CPU time since the last call for it.
void weights_thread_time(struct weights *weights, uint32_t process, uint32_t thread,
                         uint64_t cpu_ns);

// The same for the last time.
void weights_thread_end(struct weights *weights, uint32_t process, uint32_t thread,
                        uint64_t cpu_ns);

// Since the beginning: all CPU time of the process, and what of it its sampled threads account for.
void weights_process_time(struct weights *weights, uint32_t process, uint64_t cpu_ns,
                          uint64_t threads_cpu_ns);

// The process is gone, and what was to be told of it has been. Returns its CPU time, ns, that no
// sample could take; 0 when it is not known.
uint64_t weights_process_end(struct weights *weights, uint32_t process);

// The process, none of whose threads is known any more, gets a number that was never used. From now
// on weights_process_time counts from zero. If no sample was there to take what is open now, the
// next ones do.
void weights_process_renumber(struct weights *weights, uint32_t process, uint32_t number);

// The values of the profile got new numbers.
void weights_renumber(struct weights *weights, const uint32_t *values);

// Ends all threads. What then is left of each process weights_process_end says.
void weights_finish(struct weights *weights);
