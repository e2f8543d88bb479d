// SPDX-License-Identifier: MIT
// Parsers of the texts of /proc/PID, which take a buffer (pure, testable, safe on hostile text),
// and the readers that several modules need.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define COMM_MAX 64 // bytes with NUL: 15 for programs, more for kernel workers

struct proc_map { // one line of maps
    uint64_t start, end, offset;
    bool readable, writable, executable, shared;
    uint64_t device, inode; // device as by makedev
    char *path; // inside the parsed buffer, octal escapes undone; "" for anonymous memory
};

// Parses the line at *cursor (and writes to it) and moves *cursor behind it. Lines that are
// malformed are skipped. Returns false at the end of the text.
bool proc_map_parse(char **cursor, struct proc_map *map);

struct proc_stat {
    pid_t pid, parent;
    char comm[COMM_MAX]; // raw bytes
    char state;          // R S D T t Z X I
    uint32_t flags;      // PF_*: PF_KTHREAD is 0x200000
    long threads;
    uint64_t start_time; // clock ticks since boot
    uint64_t children_ticks; // CPU time of children that were waited for, and of theirs
};

bool proc_stat_parse(const char *text, struct proc_stat *stat);

// Returns whether the stat text of a process says that it has ended: not if only its leader has.
bool proc_stat_has_ended(const struct proc_stat *stat);

// Returns whether it is a worker that the kernel runs for the process (io_uring, vhost). Such a
// thread has no user code and is not to be traced.
bool proc_stat_is_worker(const struct proc_stat *stat);

// Returns the CPU on which the thread of a stat text runs or last ran; -1 when the text lacks it.
int proc_stat_cpu(const char *text);

struct proc_status {
    pid_t tgid, pid, parent, tracer;
    pid_t inner_pid; // the pid in the innermost PID namespace
    int levels;      // PID namespaces from /proc's down to its own: 1 where they are the same
    char state;
    uid_t uid[4]; // real, effective, saved, file system
    gid_t gid[4];
    long threads;
    int seccomp; // 0 none, 1 strict, 2 filter
    uint64_t effective_caps;
    uint64_t waits; // how often the thread went to sleep by itself
};

// Parses a status text; fields that it lacks stay 0. False when it is no status text at all.
bool proc_status_parse(const char *text, struct proc_status *status);

struct schedstat {
    uint64_t run_ns;   // time on a CPU; for a running thread as of the last tick or switch
    uint64_t wait_ns;  // time runnable but waiting for a CPU; as of the last switch
    uint64_t switches; // how many times it was switched in
};

bool schedstat_parse(const char *text, struct schedstat *stat);

// Returns whether a task/TID/syscall text says "running" (on a CPU or waiting for one).
bool proc_syscall_is_running(const char *text);

struct proc_syscall { // where a blocked thread went to sleep
    long number;      // system call number; -1: it sleeps outside of one (a page fault, a stop)
    uint64_t args[6]; // 0 without a system call
    uint64_t sp, pc;  // user stack pointer and pc
};

// Parses a task/TID/syscall text. Returns false when the thread runs or the text is malformed.
bool proc_syscall_parse(const char *text, struct proc_syscall *call);

// Reads a whole file below /proc. RC_GONE: there is no such process (any more); RC_DENIED; RC_IO.
enum rc procfs_read(struct buf *buf, const char *path_format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

enum rc procfs_stat(pid_t pid, pid_t tid, struct proc_stat *stat) MUST_CHECK;
enum rc procfs_status(pid_t tid, struct proc_status *status) MUST_CHECK;
enum rc procfs_schedstat(pid_t pid, pid_t tid, struct schedstat *stat) MUST_CHECK;

// Reads the name of a thread: raw bytes without the newline.
enum rc procfs_comm(pid_t pid, pid_t tid, char comm[COMM_MAX]) MUST_CHECK;

// Calls visit with each directory entry that is a number, from the beginning of an open directory
// (task, or /proc). It allocates nothing.
enum rc procfs_each_number(int dirfd, void (*visit)(void *context, pid_t number),
                           void *context) MUST_CHECK;
