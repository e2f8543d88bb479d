// SPDX-License-Identifier: MIT
// What /proc says of a target that is shown live: its threads and what they wait for, memory, age.
// Read seldom if that is dear: at most one part in fifty of the time.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "profile/run.h"
#include "session/snapshot.h"

struct vitals {
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
void vitals_read(struct vitals *vitals, const struct run_process *processes, size_t count);
void vitals_fini(struct vitals *vitals);

// Copies what is known into a snapshot.
void vitals_copy(const struct vitals *vitals, struct snapshot *snapshot);

// CPU time that the processes have used so far, ns.
uint64_t vitals_cpu(const struct run_process *processes, size_t count);
