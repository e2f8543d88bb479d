// SPDX-License-Identifier: MIT
// One sampler at a time is at work on a thread: the one that has claimed it.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "process/procfs.h"

struct thread;

// What samplers know of a thread. Only the sampler that has claimed it may touch what is below
// `cpu`, and a thread that is claimed is not freed.
struct claim {
    _Atomic int by;  // 1 + the number of the sampler, 0: nobody
    _Atomic int cpu; // where it was found last, -1: nowhere yet
    int schedstat_fd, sched_fd, stat_fd; // their own: one of two readers of a file waits
    uint64_t seen_run;      // run_ns when last read by a sampler
    struct schedstat exact; // of the last time that it was stopped, valid if exact_at
    int64_t exact_at;       // when it was let go then, CLOCK_MONOTONIC ns
    struct schedstat before; // read when it was found
    struct schedstat lately; // of lately_at, CLOCK_MONOTONIC ns; 0: never
    int64_t lately_at;
    bool contended; // up to then it waited for CPUs for much of its time
    int64_t moment;         // at which it was on its CPU
    int64_t allowance, allowed_at; // ns that it may still be looked at, and as of when
    _Atomic uint64_t robust_list; // where it was in the image that was told; 0: none, or not known
    _Atomic int64_t cost_ns; // for which it was held or displaced since that was last reported
    _Atomic uint32_t stops;  // how often it was held since
};

// Returns false while another sampler is at work on the thread.
bool claim_take(struct thread *thread, int by);
void claim_release(struct thread *thread);

// The sampler that has claimed the thread reads its schedstat, where it sleeps (false also while it
// runs), or any other file of its task directory.
#define CLAIM_TEXT 512
bool claim_read(struct thread *thread, struct schedstat *stat);
bool claim_call(struct thread *thread, struct proc_syscall *call);
bool claim_text(struct thread *thread, int kept, const char *name, char text[CLAIM_TEXT]);

// Opens the files that samplers read of the thread, as far as descriptors go.
void claim_open(struct thread *thread);
void claim_close(struct claim *claim);
