// SPDX-License-Identifier: MIT
// A process that is watched, with what was last read of it. It belongs to the thread that reads.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "process/procfs.h"
#include "sample/child_time.h"

struct thread;

struct watched { // a process
    uint32_t number;
    pid_t pid;
    int task_fd;      // /proc/PID/task, open
    int pid_fd;       // readable once the whole process has ended, reaped or not
    int maps_fd, pages_fd; // of maps_file_open: "maps", and "pagemap", which there need not be
    clockid_t cpu_clock;
    struct {
        uint64_t base;      // what the process had used before we came
        uint64_t last;      // at the last round
        uint64_t ended;     // of announced threads that are gone
        uint64_t shortfall; // that no thread read lately accounts for
        uint64_t read;      // that this round's reads of threads account for
        int64_t read_at, cost; // when the clock was read, and how long that took
    } cpu; // ns of the process's CPU clock
    struct thread **threads;
    size_t count, capacity;
    size_t next_cold;    // index of the next one to read in turn
    struct child_time children; // unless only the given processes are sampled
    struct {
        int64_t added_at, scanned_at, scan_cost, swept_at, sweep_cost;
        int64_t alive_at; // all of its threads were
        size_t surveyed;  // threads, since surveys began
    } done; // what was done for the process last, CLOCK_MONOTONIC ns, and how long it took
    bool no_syscall;     // task/TID/syscall is not for us (CAP_SYS_PTRACE alone): stat has to do
    int to_report;       // enum record_kind that the main process must know first, 0: none
    _Atomic uint64_t told_image; // number of the image that the main process knows; 0: not known
    _Atomic bool replaced; // a sampler saw that its image is not the one that maps_fd is of
    bool born_watched;   // it began while we looked: all of its CPU time counts
    bool gone;
    _Atomic bool has_gone_threads;
    bool end_reported;
    char comm[COMM_MAX]; // raw bytes
    bool incomplete;     // there seem to be threads that are not listed
};

void watched_free(struct watched *process);

// Opens a file of the task directory of one of its threads. -1: errno.
int watched_open(const struct watched *process, pid_t tid, const char *name);

// Returns whether the whole process has ended; a zombie has.
bool watched_has_ended(const struct watched *process);

// Reads the CPU time that the kernel charged to the process so far, ns. False when it is gone.
bool watched_cpu(struct watched *process, uint64_t *cpu_ns);

// Opens maps_fd and pages_fd for the image that it runs; they are -1 when there is none.
void watched_find_image(struct watched *process);

// Opens maps_fd for the image that it runs by now, under the same number. False: there is none.
bool watched_open_image(struct watched *process);

// Returns the number of that image (process/maps.h), 0: not known.
uint64_t watched_image(const struct watched *process);

// Returns whether we have no right to such a file of its threads, of which one has been found.
bool watched_is_refused(const struct watched *process, const char *name);

// Reads its name, which stays what it was once the process is gone.
void watched_name(struct watched *process);
