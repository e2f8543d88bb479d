// SPDX-License-Identifier: MIT
// Reads a thread that sleeps without stopping it: where it went to sleep, and its stack. A thread
// that runs has to be held for it (hold.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "process/procfs.h"
#include "sample/capture.h"
#include "sample/sleep_clock.h"
#include "sample/stack_capture.h"

enum in_place {
    IN_PLACE_READ,    // all is of one moment: the thread did not run meanwhile
    IN_PLACE_MOVED,   // it ran meanwhile: what was read may be a mix
    IN_PLACE_RUNNING, // it runs or waits for a CPU: nothing but comm, state and schedstat is known
    IN_PLACE_DENIED,  // task/TID/syscall is not for us: the same
    IN_PLACE_GONE,
};

struct in_place_thread {
    pid_t tid;
    char comm[COMM_MAX]; // raw bytes
    char state;          // of stat
    struct schedstat stat;
    int64_t asleep_since; // CLOCK_MONOTONIC ns, at the latest; 0: not known
    struct proc_syscall call;
};

bool in_place_schedstat(int task_fd, pid_t tid, struct schedstat *stat);

// Fills in the capture of a thread that sleeps in that call, with its stack if request->room is not
// 0.
void in_place_copy(pid_t tid, const struct proc_syscall *call, const struct stack_request *request,
                   struct capture *capture);

// Fills in `thread` and `capture`. task_fd: /proc/PID/task, open. sleep: NULL: asleep_since is not
// asked for.
enum in_place in_place_read(int task_fd, pid_t tid, struct sleep_clock *sleep,
                            struct in_place_thread *thread, struct capture *capture,
                            const struct stack_request *request);
