// SPDX-License-Identifier: MIT
// The processes and threads that are watched: the lists of both belong to the thread that reads.
// Cost follows the threads that run: those seen running within the last second are "hot" and read
// in every round, the others in turn: each once a second, in the largest processes less often.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "sample/control.h"
#include "sample/thread.h"
#include "sample/watched.h"

// Threads and processes that are out of all lists; a sampler may still be using one of them.
struct retired {
    struct thread **threads;
    size_t thread_count, thread_capacity;
    struct watched **processes;
    size_t process_count, process_capacity;
};

struct roster {
    struct control *control;
    struct watched **processes;
    size_t count, capacity;
    struct thread **hot;
    size_t hot_count, hot_capacity;
    int fds_to_keep;   // descriptors below this number stay open
    struct map listed; // tid -> index + 1, while a task directory is listed
    struct retired retired;
};

// This raises the limit of descriptors of the calling process to the highest that it may have.
void roster_init(struct roster *roster, struct control *control);

// Adds a process. RC_GONE: there is none of this number (any more). start_time: as in its stat,
// which tells it from another one that was given its number since; 0: any.
enum rc roster_add(struct roster *roster, pid_t pid, uint64_t start_time,
                   bool born_watched) MUST_CHECK;
bool roster_has(const struct roster *roster, pid_t pid);

// Returns how many threads all of its processes have.
size_t roster_threads(const struct roster *roster);

// Returns whether there are so few threads that all of them can be read each time.
bool roster_is_small(const struct roster *roster);

// Visits all threads of a small roster, of a large one those that are hot.
typedef void roster_visit(void *context, struct thread *thread);
void roster_each_likely(const struct roster *roster, roster_visit *visit, void *context);

// Lists the threads of a process again when they may have changed.
void roster_scan(struct roster *roster, struct watched *process, int64_t now);

void roster_make_hot(struct roster *roster, struct thread *thread, int64_t now);

// Forgets threads and processes that are gone, once nobody has claimed them any more: what was
// theirs is `retired` then.
void roster_sweep(struct roster *roster);

// Takes all CPU time up to now as spent before us (after a pause).
void roster_rebase(struct roster *roster);
