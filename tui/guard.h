// SPDX-License-Identifier: MIT
// A process that outlives us if we are killed without a chance to clean up (SIGKILL, the kernel out
// of memory), to do then what we cannot do any more. It holds nothing of ours open but what it is
// given, takes no signals, and costs nothing while it waits.
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct guard {
    int alarm; // descriptor by which it hears of us, -1: there is no guard
    pid_t pid;
};
#define GUARD_NONE ((struct guard){-1, 0})

// Starts it: `duty` runs in it when we are gone. It keeps the descriptors. Without a guard
// everything else works.
struct guard guard_start(void (*duty)(void), const int *kept, size_t kept_count);

// Its duty is done: it ends and does nothing. For signal handlers too.
void guard_excuse(const struct guard *guard);

// The same, and it is waited for.
void guard_dismiss(struct guard *guard);
