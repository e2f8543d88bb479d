// SPDX-License-Identifier: MIT
// Events of the kernel by which threads are seen to start other threads, without a stop and without
// a byte written into the target: an execution breakpoint in a debug register at the system call,
// whose record has registers and stack of the creator, and a record of each thread that is born.
// New threads inherit both. There is one event for each thread, CPU and breakpoint, and one ring
// for each CPU.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/thread_calls.h"
#include "process/perf_events.h"

struct creation_ring { // of one CPU
    int cpu;
    int fd; // of an event of our own, which lives as long as the ring
    struct perf_ring ring;
};

struct creation_events { // zeroed: closed
    struct creation_ring *rings;
    size_t ring_count;
    uint32_t stack_bytes; // that are copied at each breakpoint
    int *fds;
    size_t count, capacity;
    bool full;      // there are no descriptors left
    bool old;       // the kernel, before Linux 5.13, cannot limit inheritance to threads
    size_t threads, without; // that got events; that got none because there were too many
    int error;      // errno of the first breakpoint that could not be had, 0: none
};

// Makes the rings. Returns false, and events->error, where the kernel gives us no events.
bool creation_events_open(struct creation_events *events);

// Takes all events and rings away.
void creation_events_close(struct creation_events *events);

// Has a thread watched. Returns false when the kernel gives us none of its events. Without a
// breakpoint, births are recorded all the same.
bool creation_events_add(struct creation_events *events, pid_t tid,
                         const struct thread_calls *calls);

// Waits until there is something to read, at most so long.
void creation_events_wait(const struct creation_events *events, int milliseconds);
