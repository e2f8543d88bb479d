// SPDX-License-Identifier: MIT
// A thread of a watched process, with what was last read of it. It belongs to the thread that
// reads; samplers use what `struct claim` holds, and what never changes.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "process/procfs.h"
#include "sample/claim.h"

struct watched;

struct thread {
    uint32_t number;
    pid_t tid;
    struct watched *process;
    int fds_to_keep; // as in its roster
    int schedstat_fd, syscall_fd; // -1: not open; when descriptors are short, for each read
    struct schedstat last;
    uint64_t busy_ns; // that it ran in the last period that was reported
    struct {
        uint64_t base_run;  // of last.run_ns
        uint64_t run, wait; // of last.run_ns and last.wait_ns
        int64_t at;         // when that had been read; 0: not known
    } report; // the last one
    int64_t hot_until;
    int64_t noted_at;              // when `last` was read
    int64_t unmoved_since;         // neither its CPU time nor its switches have changed since
    struct {
        uint64_t switches; // at the newest copy of its stack in place
        uint32_t plan;     // version of the plan that it was made by
        uint32_t survey;   // survey up to which it is known to have slept there
        uint32_t times;    // how many of them have not been reported
        bool known;        // there is such a copy, and the main process has it
    } asleep;
    bool known;       // `last` was read
    bool hot;         // in roster.hot
    bool blocked;     // when last seen
    bool announced;   // the main process knows it
    bool told_elsewhere; // a newborn's first look was taken
    bool realtime;       // its scheduling policy
    _Atomic bool skipped; // not to be stopped: samplers hung on it, or it runs 32-bit code
    bool listed;
    _Atomic bool gone;
    char comm[COMM_MAX];
    struct claim claim;
};

// Makes a thread that is listed, and of which nothing has been read. fds_to_keep: descriptors below
// this number stay open.
struct thread *thread_new(struct watched *process, pid_t tid, uint32_t number, int fds_to_keep);
void thread_free(struct thread *thread);

// Opens a file of the thread's task directory. -1: errno.
int thread_open(const struct thread *thread, const char *name);

// Notes that the thread ended: the next roster_sweep removes it.
void thread_end(struct thread *thread);

// Reads schedstat. RC_GONE: the thread ended.
enum rc thread_read(struct thread *thread, struct schedstat *stat) MUST_CHECK;

// Keeps what was read, and adds the CPU time since the last time to *moved_ns.
void thread_note(struct thread *thread, const struct schedstat *stat, uint64_t *moved_ns);

// Treats all of its CPU time up to now as spent before us (after a pause).
void thread_rebase(struct thread *thread);

// Returns whether it is on a CPU or waits for one.
bool thread_is_running(struct thread *thread);

// Reads where it went to sleep. False when it runs, is gone, or we have no right to know.
bool thread_call(struct thread *thread, struct proc_syscall *call);

// Returns the CPU that it runs on, or last ran on; -1: not known.
int thread_cpu(struct thread *thread);
