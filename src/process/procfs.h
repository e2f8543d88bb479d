// SPDX-License-Identifier: MIT
// The texts of /proc/PID: parsers that take a buffer (pure, testable, safe on hostile text), and
// the few readers that everybody needs.
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

// Parses the line at *cursor (which it writes to) and moves *cursor behind it. False at the end of
// the text; lines that are no maps lines are passed over.
bool proc_map_parse(char **cursor, struct proc_map *map);

struct proc_stat {
    pid_t pid, parent;
    char comm[COMM_MAX]; // raw bytes
    char state;          // R S D T t Z X I
    uint32_t flags;      // PF_*: PF_KTHREAD is 0x200000
    long threads;
    uint64_t start_time; // clock ticks since boot
    uint64_t children_ticks; // CPU time of children that ended and were waited for, and of theirs
};

bool proc_stat_parse(const char *text, struct proc_stat *stat);

// A thread that the kernel runs for the process (io_uring, vhost): it has no user code, and is not
// to be traced.
bool proc_stat_is_worker(const struct proc_stat *stat);

// The CPU of a stat text that the thread runs on, or last ran on; -1: the text lacks it.
int proc_stat_cpu(const char *text);

struct proc_status {
    pid_t tgid, pid, parent, tracer;
    pid_t inner_pid; // in the innermost PID namespace
    int levels;      // PID namespaces from that of this /proc to its own: 1 where they are the same
    char state;
    uid_t uid[4]; // real, effective, saved, file system
    gid_t gid[4];
    long threads;
    int seccomp; // 0 none, 1 strict, 2 filter
    uint64_t effective_caps;
};

// Fields that the text lacks stay 0. False when it is no status text at all.
bool proc_status_parse(const char *text, struct proc_status *status);

struct schedstat {
    uint64_t run_ns;   // on a CPU; of a running thread as of the last tick or switch
    uint64_t wait_ns;  // runnable, waiting for a CPU; as of the last switch
    uint64_t switches; // times that it came onto a CPU
};

bool schedstat_parse(const char *text, struct schedstat *stat);

// Whether a task/TID/syscall text says "running" (on a CPU or waiting for one).
bool proc_syscall_is_running(const char *text);

struct proc_syscall { // of a thread that does not run: where it went to sleep
    long number;      // of the system call; -1: it sleeps without one (a page fault, a stop)
    uint64_t args[6]; // 0 without a system call
    uint64_t sp, pc;  // of the user code
};

// False when the thread runs, or the text is no such line.
bool proc_syscall_parse(const char *text, struct proc_syscall *call);

// Reads a file below /proc, whole. RC_GONE: no such process (any more); RC_DENIED; RC_IO.
enum rc procfs_read(struct buf *buf, const char *path_format, ...) PRINTF_LIKE(2, 3) MUST_CHECK;

enum rc procfs_stat(pid_t pid, pid_t tid, struct proc_stat *stat) MUST_CHECK;
enum rc procfs_status(pid_t tid, struct proc_status *status) MUST_CHECK;

// The name of a thread, raw bytes without the newline.
enum rc procfs_comm(pid_t pid, pid_t tid, char comm[COMM_MAX]) MUST_CHECK;

// Calls visit with each number that is a directory name of an open directory (task, or /proc).
// Starts at its beginning. Allocates nothing.
enum rc procfs_each_number(int dirfd, void (*visit)(void *context, pid_t number),
                           void *context) MUST_CHECK;
