// SPDX-License-Identifier: MIT
// The profile types that count threads, of one or several processes:
//   threads       one look at all threads, taken at the beginning of a run: it is of one moment,
//                 the one that the file names as its time, and the process cannot have ended by
//                 then. Who wants it of another moment begins another run
//   threadcreate  the threads of that look by the function that they started in, and those that
//                 start until the end of the run by the stack of their creator
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "profile/plain.h"
#include "profile/types.h"

#define THREAD_TYPES (PROFILE_BIT(PROFILE_THREADS) | PROFILE_BIT(PROFILE_THREADCREATE))

struct thread_types;

struct thread_types_options {
    unsigned types;      // set of PROFILE_BIT; others than these two do not matter
    const char *threads; // extended regular expression for names of threads that exist, NULL: all
    int64_t timeout;     // ns for the look at one process; 0: two seconds
    bool only_later;     // threadcreate: without the threads of the look
};

// Takes the look, and begins to watch who starts threads. It takes as long as the looks do. Fails
// like dumper_open and dumper_take if that is so of every process. To be called before the sampler
// runs, so that no look is taken for what the target does.
enum rc thread_types_start(const pid_t *pids, size_t count,
                           const struct thread_types_options *options,
                           struct thread_types **types, struct err *err) MUST_CHECK;

// Ends it. Where the kernel did not let us watch, this takes another look, for the threads that
// have started. It may be called again.
void thread_types_stop(struct thread_types *types);
void thread_types_free(struct thread_types *types);

// Returns a profile of one of the two types, which the caller frees; it was stopped, and that type
// was asked for. Its comments say, for people, how much there is,
// and what lacks and why.
struct plain_profile *thread_types_profile(const struct thread_types *types,
                                           enum profile_kind kind);
