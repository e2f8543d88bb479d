// SPDX-License-Identifier: MIT
// Makes the profile from records: the reading end of the ring.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "collect/recorder.h"
#include "process/module.h"
#include "profile/compact.h"
#include "profile/run.h"
#include "profile/store.h"
#include "sample/control.h"
#include "symbol/symbolizer.h"
#include "unwind/unwinder.h"

struct consumer;

// Control, modules and profile are borrowed.
struct consumer *consumer_new(struct control *control, struct modules *modules,
                              struct profile *profile, size_t max_depth);
void consumer_free(struct consumer *consumer);

// Also finds out what threads wait for, while control->idle. rate: of samples, Hz; 0: not any more.
void consumer_count_waits(struct consumer *consumer, double rate);
bool consumer_counts_waits(const struct consumer *consumer);

// Returns whether something is waited for that only the names of functions can tell.
bool consumer_wants_names(const struct consumer *consumer);

// Uses the names of all locations below that number, which the symbolizer has.
void consumer_take_names(struct consumer *consumer, struct symbolizer *symbolizer, size_t named);

// Has `second` called when what was sampled and used in a second is taken in, with the moment at
// which that ended (CLOCK_MONOTONIC ns).
void consumer_follow(struct consumer *consumer, void (*second)(void *context, int64_t ended),
                     void *context);

// Returns whether all that the sampler has told so far is taken in.
bool consumer_has_all(const struct consumer *consumer);

// Has `began` called for each process when its sampling begins and when it runs another program.
void consumer_watch(struct consumer *consumer, void (*began)(void *context, pid_t pid),
                    void *context);

// Has a recorder told of threads and looks.
void consumer_trace(struct consumer *consumer, struct recorder *recorder);

// Forgets wall time that was counted and is not in the profile yet.
void consumer_reset(struct consumer *consumer);

// Reads all records that are in the ring now. While control->idle, wall time is counted too.
void consumer_drain(struct consumer *consumer);

// Does the same until a moment (CLOCK_MONOTONIC ns), and returns false when records are left. One
// record may take longer, by the limit of one stack or of one file that does not answer.
bool consumer_drain_until(struct consumer *consumer, int64_t moment);

// Does the same at the end of a run: all records are read, but no stack is unwound after that
// moment. Captures that are read later are left out and counted.
void consumer_drain_last(struct consumer *consumer, int64_t moment);

// Returns whether records must be read at once: libraries are being mapped in the place of others,
// and which one a sample was in can only be found out right away.
bool consumer_is_pressed(const struct consumer *consumer);

// Returns the pid of the process that unwinds, 0 if there is none.
pid_t consumer_unwinder(const struct consumer *consumer);

// Has the process that unwinds run like the calling thread (thread_lead).
void consumer_lead(const struct consumer *consumer);

// Returns by how much the rate has to fall for the consumer to keep up: to one part in so many.
uint32_t consumer_slowdown(const struct consumer *consumer);

// Counts a hold, ns, of a thread by a sampler that died before it reported it.
void consumer_add_last_hold(struct consumer *consumer, pid_t tid, int64_t lasted);

// Makes the profile smaller if it has grown beyond the bounds. Returns whether it did, because
// locations and stacks have new numbers then.
bool consumer_bound(struct consumer *consumer, const struct compact_bounds *bounds);

// Ends the periods of all threads. Call once, after the last drain.
void consumer_finish(struct consumer *consumer);

// What is counted beside the counters of control.
struct consumer_counts {
    uint64_t asleep_cut;     // stacks of blocked threads that are cut
    uint64_t threads_asleep; // threads that were only ever seen blocked
    uint64_t threads_cpu_ns; // CPU time of the threads that were sampled
    double held_share;       // held part of the most-held thread's time, 0..1
    size_t processes;
};

struct consumer_counts consumer_counts(const struct consumer *consumer);
const struct run_process *consumer_processes(const struct consumer *consumer);

// Says for how long threads were held since the last call, ns: the one that was held longest, and
// all of them together.
void consumer_held(struct consumer *consumer, int64_t *worst, int64_t *sum);

// Finds the module and the reason of most cuts; false when no stack was cut.
bool consumer_worst_cut(const struct consumer *consumer, const struct module **module,
                        enum unwind_end *why);
