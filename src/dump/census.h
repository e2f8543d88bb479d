// SPDX-License-Identifier: MIT
// A census reads every thread of a process once: those that sleep in place, while those that run
// are held one by one for the length of one copy. A process of its own does it, as for sampling.
// Its records go to control->ring; control->ended is set when all have been told.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/map.h"
#include "process/thread_filter.h"
#include "sample/control.h"
#include "sample/in_place.h"
#include "sample/ring.h"

#define CENSUS_RECORD 100          // record.kind, apart from those of record.h
#define CENSUS_RING (4u << 20)     // bytes for control_new

enum census_flag {
    CENSUS_RUNNING = 1,  // on a CPU or waiting for one
    CENSUS_QUEUED = 2,   // ... and it had to wait for a CPU before it could stop
    CENSUS_HELD = 4,     // `capture` was taken while it was stopped
    CENSUS_CALL = 8,     // thread.call holds
    CENSUS_MOVED = 16,   // read in place, it ran meanwhile, again and again
    CENSUS_DENIED = 32,  // its registers are not for us
    CENSUS_UNSTOPPED = 64, // it was asked to stop and did not in time
    CENSUS_REFUSED = 128, // it could not be attached to: somebody else traces it
    CENSUS_STARVED = 256, // it got no CPU to stop on until the deadline
};

struct census_record {
    struct record record;
    uint32_t flags; // enum census_flag
    pid_t inner_tid; // in its own PID namespace; 0: not known
    struct in_place_thread thread;
    struct capture capture; // without registers and stack unless HELD or CALL
};

struct census_config { // borrowed
    pid_t pid;
    const struct thread_filter *threads; // only these are held
    const pid_t *tids; // only these are read, NULL: all
    size_t tid_count;
    const struct map *done; // these are left out
    const struct map *plan_of; // tid -> index + 1 of the plan of its stack, NULL: none has one
    const struct stack_plan *plans;
    const struct regions *mappings; // of the process, NULL: not known
    uint32_t stack_room;    // bytes of stack in a record, at most
    int64_t began;          // the whole dump; CLOCK_MONOTONIC ns
    int64_t deadline;       // CLOCK_MONOTONIC ns; threads that get no CPU are waited for until then
    const cpu_set_t *cpus;  // where we may run to read their clocks; NULL: the present ones
    bool inner_tids;        // its PID namespace is not ours
    bool together;          // hold all threads, sleeping ones too, at one moment
    bool asleep;            // hold sleeping ones too, one by one
    bool filtered;          // a seccomp filter may forbid restart_syscall
};

// Starts the process; it is ended and reaped with sampler_stop. control->busy_with is the thread
// that is being read.
enum rc census_start(struct control *control, const struct census_config *config, pid_t *child,
                     struct err *err) MUST_CHECK;
