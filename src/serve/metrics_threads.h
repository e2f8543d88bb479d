// SPDX-License-Identifier: MIT
// What threads of a process have waited and how they are, for who reads its figures: all of them
// if that is cheap, else some in turn. Who has not run since it was seen asleep is asked for one
// number only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "serve/latency.h"
#include "serve/proc_file.h"

enum thread_figure { // states first
    THREAD_RUNNING, THREAD_SLEEPING, THREAD_DISK, THREAD_STOPPED,
    THREAD_STATES,
    THREAD_VOLUNTARY = THREAD_STATES, THREAD_INVOLUNTARY,
    THREAD_FIGURES
};

struct metrics_thread {
    pid_t tid;
    uint32_t seen;     // number of the listing that had it last
    char state;        // 0: not read yet
    struct proc_file schedstat, status;
    uint64_t waited, turns; // ns and times of waiting for a CPU, as its schedstat said last
    uint64_t switches[2];   // voluntary, involuntary
};

struct metrics_threads { // zeroed but for `pid`
    pid_t pid;
    struct metrics_thread *threads; // ascending tids; owned
    size_t count, capacity;
    size_t next;       // the one that is read next
    size_t known;      // while they are listed: so many were known before
    uint32_t listings;
    int64_t listed_at, list_next; // CLOCK_MONOTONIC ns; not listed again before list_next
    bool waits_known;  // this kernel has schedstat
    bool someone_left; // a thread that is listed is not there any more
    uint64_t sums[THREAD_FIGURES]; // states: of those that are there now
    uint64_t waited;   // ns for a CPU, all threads so far
    struct latency run_queue;
    struct queue_wait longest[LATENCY_BUCKETS]; // in all, since somebody took them
};

void metrics_threads_fini(struct metrics_threads *threads);

// Reads threads until budget_ns is used up. count: how many the kernel says that there are. Returns
// how many were read.
size_t metrics_threads_read(struct metrics_threads *threads, uint64_t count, int64_t budget_ns);

// Returns whether nobody can have run unnoticed if the process used no CPU: all were seen asleep.
bool metrics_threads_at_rest(const struct metrics_threads *threads, uint64_t count);
