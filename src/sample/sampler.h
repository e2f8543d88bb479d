// SPDX-License-Identifier: MIT
// The sampler process: the only one that touches the targets. Forked by the main process, it tells
// what it saw through struct control and does nothing else; killed at any moment it leaves nothing
// behind.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/thread_filter.h"
#include "sample/control.h"
#include "sample/look.h"

struct sampler_config { // borrowed, also by samplers that are started later
    const pid_t *pids;
    const uint64_t *start_times; // of the same: a number may be given to another process meanwhile
    size_t pid_count;
    double rate;              // Hz
    bool children;            // descendants too
    const struct thread_filter *threads;
    double max_stop;          // share of a thread's time that it may be held, 0..1
    look_unwind *unwind_live; // NULL: copy stacks
};

// Returns the shared memory for one run, freed with control_free; NULL: *err.
struct control *control_new(size_t ring_bytes, struct err *err);
void control_free(struct control *control);

// Runs body(control, argument) in a process of its own that may touch targets: small, silent, all
// signals blocked, gone with the calling thread. Its pid goes to *child.
typedef void sampler_body(struct control *control, const void *argument);
enum rc sampler_fork(struct control *control, sampler_body *body, const void *argument,
                     pid_t *child, struct err *err) MUST_CHECK;

// Starts a sampler; its pid goes to *child. When the calling thread dies, it ends by itself.
enum rc sampler_start(struct control *control, const struct sampler_config *config, pid_t *child,
                      struct err *err) MUST_CHECK;

// Makes the sampler look at once whether it is to stop, to pause or to go on.
void sampler_wake(pid_t child);

// Returns whether the sampler has ended, and reaps it then.
bool sampler_ended(pid_t child);

// Lets the sampler finish, by force if need be, and reaps it. Returns false after three seconds: it
// hangs in the kernel, or somebody traces it, and is left to itself. It will not sample again.
bool sampler_stop(struct control *control, pid_t child);
