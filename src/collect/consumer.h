// SPDX-License-Identifier: MIT
// From records to the profile: the other end of the ring.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "process/module.h"
#include "profile/compact.h"
#include "profile/run.h"
#include "profile/store.h"
#include "sample/control.h"
#include "unwind/unwinder.h"

struct consumer;

// All borrowed.
struct consumer *consumer_new(struct control *control, struct modules *modules,
                              struct profile *profile, size_t max_depth);
void consumer_free(struct consumer *consumer);

// From now on says of each process when its sampling begins, and when it runs another program.
void consumer_watch(struct consumer *consumer, void (*began)(void *context, pid_t pid),
                    void *context);

// Forgets what has been taken in of wall time and is not in the profile yet.
void consumer_reset(struct consumer *consumer);

// Takes in what is in the ring now. While control->idle, wall time is counted too.
void consumer_drain(struct consumer *consumer);

// The same until that moment (CLOCK_MONOTONIC ns); false when more is left. One record may take
// longer, by what one stack or one file that does not answer is allowed to.
bool consumer_drain_until(struct consumer *consumer, int64_t moment);

// The same at the end of a run: all records, but no stack is unwound after that moment. Captures
// that come later are left out, and counted.
void consumer_drain_last(struct consumer *consumer, int64_t moment);

// Libraries take each other's places: which one a sample was in can only be told at once.
bool consumer_is_pressed(const struct consumer *consumer);

// Has the process that unwinds run like the calling thread.
void consumer_lead(const struct consumer *consumer);

// By how much the rate has to fall for us to keep up: one part in so many.
uint32_t consumer_slowdown(const struct consumer *consumer);

// A thread was held so long, ns, by a sampler that has not lived to tell it.
void consumer_add_last_hold(struct consumer *consumer, pid_t tid, int64_t lasted);

// Makes the profile smaller if it has grown beyond the bounds, and says so: it is renumbered then.
bool consumer_bound(struct consumer *consumer, const struct compact_bounds *bounds);

// Ends the periods of all threads. Call once, after the last drain.
void consumer_finish(struct consumer *consumer);

// What is known beside the counters of control.
struct consumer_counts {
    uint64_t asleep_cut;     // stacks of threads that slept
    uint64_t threads_asleep; // that were only ever met asleep
    uint64_t threads_cpu_ns; // of the threads that were sampled
    double held_share;       // of the most-held thread's time, 0..1
    size_t processes;
};

struct consumer_counts consumer_counts(const struct consumer *consumer);
const struct run_process *consumer_processes(const struct consumer *consumer);

// What threads were held since the last call, ns: the one that was held most, and all together.
void consumer_held(struct consumer *consumer, int64_t *worst, int64_t *sum);

// Where and why most stacks broke off; false when none did.
bool consumer_worst_cut(const struct consumer *consumer, const struct module **module,
                        enum unwind_end *why);
