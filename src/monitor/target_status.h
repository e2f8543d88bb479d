// SPDX-License-Identifier: MIT
// What /proc says of a target that is shown live: its threads and what they wait for, memory, age.
// It is read seldom if that is dear: at most one part in fifty of the time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "monitor/snapshot.h"
#include "profile/run.h"

struct target_status {
    char *command_line;  // of the first process, NULL until read; owned
    struct thread_fact *threads; // owned
    size_t thread_count, thread_capacity;
    int64_t next_read;   // CLOCK_MONOTONIC ns
    int64_t uptime;       // of the first process
    uint64_t rss;         // of all
    size_t threads_there; // in all, also those that are not listed
    bool stopped, denied; // the first process
};

// Looks at the processes that have not ended; the first one is the one that is described.
void target_status_read(struct target_status *status, const struct run_process *processes,
                        size_t count);
void target_status_fini(struct target_status *status);

// Copies what is known into a snapshot.
void target_status_copy(const struct target_status *status, struct snapshot *snapshot);

// CPU time that the processes have used so far, ns.
uint64_t target_status_cpu(const struct run_process *processes, size_t count);
