// SPDX-License-Identifier: MIT
// The events of switches (collect/switches.h) that are open, and the rings that they write into.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "collect/recorder.h"
#include "process/perf_events.h"
#include "profile/run.h"

struct cpu_ring {
    struct perf_ring ring;
    int cpu;
    bool peeked; // `record` is its oldest record
    struct perf_record record;
};

struct switch_events { // zeroed: nothing yet
    struct cpu_ring *rings;
    size_t ring_count, ring_capacity;
    int *fds;
    size_t fd_count, fd_capacity;
    size_t most; // descriptors that may be open
    bool whole;  // the events are of all threads of the machine, one for each CPU
    bool plain;  // the kernel does not know what tells threads from processes
    int refused; // the error number by which the kernel refuses all; 0: it does not
    struct map without; // tids of the threads that have no events
    uint64_t lost;
    char unlisted[sizeof((struct run_trace *)NULL)->unlisted];
};

// Opens events for the threads of a process that have none and tells the recorder of them. Returns
// whether there were any. children: processes that they start inherit them too.
bool switch_events_open(struct switch_events *events, struct recorder *recorder, pid_t pid,
                        bool children);

void switch_events_close(struct switch_events *events);
