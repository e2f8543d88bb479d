// SPDX-License-Identifier: MIT
// The status of a target is what /proc says of it: threads and their system calls, memory, age. It
// is read less often if that takes long: for at most one fiftieth of the time.
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
    uint64_t rss;         // of all processes
    size_t threads_there; // of all processes, also those that are not listed
    bool stopped, denied; // the first process
};

// Reads the processes that have not ended, if it is time.
void target_status_read(struct target_status *status, const struct run_process *processes,
                        size_t count);
void target_status_fini(struct target_status *status);

// Copies the status into a snapshot.
void target_status_copy(const struct target_status *status, struct snapshot *snapshot);

// Returns the CPU time (ns) that the processes have used so far.
uint64_t target_status_cpu(const struct run_process *processes, size_t count);
