// SPDX-License-Identifier: MIT
// The processes and threads that are watched, with what was last read of each. It belongs to the
// thread that reads; of a thread samplers use what `struct claim` holds, and what never changes.
// Cost follows the threads that run: those seen running within the last second are "hot" and read
// in every round, the others in turn: each once a second, in the largest processes less often.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/map.h"
#include "sample/claim.h"
#include "sample/control.h"
#include "sample/kin.h"
#include "sample/tracer.h"
#include "target/procfs.h"

struct watched { // a process
    uint32_t number;
    pid_t pid;
    int task_fd;      // /proc/PID/task, open
    int pid_fd;       // readable once the whole process has ended, reaped or not
    int maps_fd;      // task/TID/maps: reads nothing any more once the image is replaced
    clockid_t cpu_clock;
    uint64_t base_cpu;   // of the process's CPU clock, ns: what was before us
    uint64_t last_cpu;   // at the last round
    uint64_t ended_cpu;  // ns of announced threads that are gone
    uint64_t shortfall;  // ns that no thread read lately accounts for
    struct thread **threads;
    size_t count, capacity;
    size_t next_cold;    // index of the next one to read in turn
    uint64_t read_ns;    // CPU time that this round's reads of threads account for
    struct kin kin;      // unless only the given processes are sampled
    int64_t clock_at, clock_cost; // when the CPU clock was read, and how long that took
    int64_t added_at, scanned_at, scan_cost, swept_at, sweep_cost, reported_at;
    bool no_syscall;     // task/TID/syscall is not for us (CAP_SYS_PTRACE alone): stat has to do
    int untold;          // enum record_kind that the main process must know first, 0: none
    _Atomic bool replaced; // a sampler saw that its image is not the one that maps_fd is of
    bool born_watched;   // it began while we looked: all of its CPU time counts
    bool gone;
    _Atomic bool has_gone_threads;
    bool parted;         // its end was told
    char comm[COMM_MAX]; // raw bytes
    bool incomplete;     // there seem to be threads that are not listed
};

struct thread {
    uint32_t number;
    pid_t tid;
    struct watched *process;
    int fds_to_keep; // as in its roster
    int schedstat_fd, syscall_fd; // -1: not open; when descriptors are short, for each read
    struct schedstat last;
    uint64_t base_run, reported_run, reported_wait; // of last.run_ns and last.wait_ns
    int64_t hot_until;
    int64_t noted_at;              // when `last` was read
    int64_t unmoved_since;         // neither its CPU time nor its switches have changed since
    int64_t told_at;               // when what was last reported had been read; 0: not known
    uint64_t asleep_switches;      // at the newest copy of its stack in place
    uint32_t asleep_survey;        // survey up to which it is known to have slept there
    uint32_t asleep_times;         // how many of them have not been told
    bool asleep_known; // there is such a copy, and the main process has it
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

// Out of all lists, but a sampler may still be looking at them.
struct retired {
    struct thread **threads;
    size_t thread_count, thread_capacity;
    struct watched **processes;
    size_t process_count, process_capacity;
};

struct roster {
    struct control *control;
    struct watched **processes;
    size_t count, capacity;
    struct thread **hot;
    size_t hot_count, hot_capacity;
    int fds_to_keep;   // descriptors below this number stay open
    struct map listed; // tid -> index + 1, while a task directory is listed
    struct retired retired;
};

// Also takes as many descriptors for the process as it may have.
void roster_init(struct roster *roster, struct control *control);

// RC_GONE when there is no such process (any more).
enum rc roster_add(struct roster *roster, pid_t pid, bool born_watched) MUST_CHECK;
bool roster_has(const struct roster *roster, pid_t pid);

// How many threads all of its processes have.
size_t roster_threads(const struct roster *roster);

// Lists the threads of a process again when they may have changed.
void roster_scan(struct roster *roster, struct watched *process, int64_t now);

// The thread ended: it is forgotten by the next roster_sweep.
void thread_end(struct thread *thread);

// Reads schedstat. RC_GONE: the thread ended.
enum rc thread_read(struct thread *thread, struct schedstat *stat) MUST_CHECK;

// Keeps what was read; adds to *moved_ns the CPU time since the last time.
void thread_note(struct thread *thread, const struct schedstat *stat, uint64_t *moved_ns);

// Whether it is on a CPU or waits for one.
bool thread_is_running(struct thread *thread);

// Where it went to sleep. False when it runs, is gone, or that is not for us.
bool thread_call(struct thread *thread, struct proc_syscall *call);

// The CPU that it runs on, or last ran on; -1: not known.
int thread_cpu(struct thread *thread);

void roster_make_hot(struct roster *roster, struct thread *thread, int64_t now);

// A zombie has.
bool watched_has_ended(const struct watched *process);

// The CPU time that the kernel charged to the process so far, ns; false when it is gone.
bool watched_cpu(struct watched *process, uint64_t *cpu_ns);

// Whether the process still runs the image that maps_fd was opened for, or ran it to its end.
bool watched_same_image(const struct watched *process);

// maps_fd becomes that of the image that it runs by now; false when there is none.
bool watched_open_image(struct watched *process);

// Reads its name, which stays what it was once the process is gone.
void watched_name(struct watched *process);

// A file of the thread's task directory, open. -1: errno.
int thread_open(const struct thread *thread, const char *name);

void thread_free(struct thread *thread);
void watched_free(struct watched *process);

// Forgets threads and processes that are gone, once nobody has claimed them any more: what was
// theirs is `retired` then.
void roster_sweep(struct roster *roster);

// Takes all CPU time up to now as spent before us (after a pause).
void roster_rebase(struct roster *roster);
