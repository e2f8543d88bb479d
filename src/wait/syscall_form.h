// SPDX-License-Identifier: MIT
// The system calls in which threads wait: what they wait for, and what their arguments mean.
#pragma once

#include "wait/wait.h"

enum argument {
    ARG_NONE, // end of the arguments
    ARG_SKIP, // says nothing about the wait
    ARG_FD,
    ARG_EPOLL,          // fd of an epoll, which watches others
    ARG_POLL,           // struct pollfd *, followed by the count
    ARG_SELECT,         // count of descriptors, followed by three sets
    ARG_DIRECTORY,      // fd or AT_FDCWD; only matters for a relative path
    ARG_PATH,           // const char *
    ARG_TIMEOUT_MS,     // int; negative: none
    ARG_TIMEOUT,        // struct timespec *, relative; NULL: none
    ARG_TIMEOUT_MICROS, // struct timeval *, relative; NULL: none
    ARG_SLEEP,          // struct timespec *, relative
    ARG_CLOCK_SLEEP,    // clock, flags, struct timespec *
    ARG_FUTEX,          // operation; the timeout is two arguments later
    ARG_FUTEX2,         // struct timespec *, absolute, followed by the clock
    ARG_NEW_CHILD,      // no argument: the vfork child that borrows this thread's memory
    ARG_CHILD,          // pid, as for wait4
    ARG_ID,             // type and id, as for waitid
    ARG_SIGNALS,        // const uint64_t *, the set of signals to wait for
    ARG_MASK,           // the set of signals that is blocked during the call
    ARG_FLOCK,          // operation
    ARG_FCNTL,          // command
};

#define SYSCALL_ARGUMENTS 6

struct syscall_form {
    const char *name;
    enum wait_kind kind; // WAIT_FILE: the descriptor decides (socket, pipe, ...)
    enum argument arguments[SYSCALL_ARGUMENTS];
};

enum syscall_machine { SYSCALL_X86_64, SYSCALL_AARCH64 };

// Returns the name of a system call on that machine, or NULL.
const char *syscall_form_name(enum syscall_machine machine, long number);
extern const enum syscall_machine syscall_form_machine; // of this build

// Returns NULL for a call that is not in the table: only its name is known.
const struct syscall_form *syscall_form_find(const char *name);

// All forms, for tests; the last one has name NULL.
extern const struct syscall_form syscall_forms[];
