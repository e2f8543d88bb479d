// SPDX-License-Identifier: MIT
// A guard is a process that cleans up in our place if we are killed without a chance to do it
// ourselves (SIGKILL, the OOM killer). It keeps only the descriptors that it is given, ignores
// signals, and uses no CPU time while it waits.
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct guard {
    int alarm; // write end of the pipe that it reads; -1: no guard
    pid_t pid;
};
#define GUARD_NONE ((struct guard){-1, 0})

// Starts a guard, which keeps the descriptors `kept` and runs `duty` when we are gone. If it cannot
// be started, the result is GUARD_NONE, which the other functions accept.
struct guard guard_start(void (*duty)(void), const int *kept, size_t kept_count);

// Tells the guard to end without doing its duty. Signal handlers may call it.
void guard_excuse(const struct guard *guard);

// Like guard_excuse, and reaps the guard.
void guard_dismiss(struct guard *guard);
