// SPDX-License-Identifier: MIT
// The system calls that threads wait in: what they wait for, and what their arguments mean.
#pragma once

#include "wait/wait.h"

enum argument {
    ARG_NONE, // the end
    ARG_SKIP, // says nothing about the wait
    ARG_FD,
    ARG_EPOLL,          // fd of an epoll, which watches others
    ARG_POLL,           // struct pollfd *, the count is the next one
    ARG_SELECT,         // count of descriptors; the next three are their sets
    ARG_DIRECTORY,      // fd, or AT_FDCWD; only for a path that is relative
    ARG_PATH,           // const char *
    ARG_TIMEOUT_MS,     // int, below 0: none
    ARG_TIMEOUT,        // struct timespec *, relative, NULL: none
    ARG_TIMEOUT_MICROS, // struct timeval *, relative, NULL: none
    ARG_SLEEP,          // struct timespec *, relative
    ARG_CLOCK_SLEEP,    // clock, flags, struct timespec *
    ARG_FUTEX,          // operation; the timeout is two further on
    ARG_FUTEX2,         // struct timespec *, absolute, and the clock
    ARG_NEW_CHILD,      // no argument: the child that borrows the memory of this thread
    ARG_CHILD,          // pid as for wait4
    ARG_ID,             // type and id as for waitid
    ARG_SIGNALS,        // the set that is waited for, const uint64_t *
    ARG_MASK,           // the set that is blocked meanwhile
    ARG_FLOCK,          // operation
    ARG_FCNTL,          // command
};

#define SYSCALL_ARGUMENTS 6

struct syscall_form {
    const char *name;
    enum wait_kind kind; // WAIT_FILE: the descriptor tells which (socket, pipe, ...)
    enum argument arguments[SYSCALL_ARGUMENTS];
};

// NULL: the call has none, and nothing but its name is known.
const struct syscall_form *syscall_form_find(const char *name);

// All forms, for tests; ends where name is NULL.
extern const struct syscall_form syscall_forms[];
