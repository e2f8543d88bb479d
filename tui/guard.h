// SPDX-License-Identifier: MIT
// A process that outlives us if we are killed without a chance to clean up (SIGKILL, the kernel out
// of memory), to do then what we cannot do any more. It holds nothing of ours open but what it is
// given, takes no signals, and costs nothing while it waits.
#pragma once

#include <stddef.h>

// Starts it: `duty` runs in it when we are gone. It keeps the descriptors. Returns a descriptor for
// guard_dismiss, or -1: there is no guard, and everything else works without.
int guard_start(void (*duty)(void), const int *kept, size_t kept_count);

// It ends and does nothing.
void guard_dismiss(int *guard);
