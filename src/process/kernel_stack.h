// SPDX-License-Identifier: MIT
// Where a thread is inside the kernel, from /proc/PID/task/TID/stack: for threads that sleep. Only
// root may read it, and only where the kernel was built to tell (CONFIG_STACKTRACE).
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define KERNEL_STACK_MAX 64 // frames; the kernel itself tells at most as many

struct kernel_frame {
    const char *function; // the kernel's name, inside the parsed text
    const char *module;   // of the kernel, "" for what is not in one
    uint64_t offset;      // of the return address inside the function
};

struct kernel_stack {
    struct kernel_frame frames[KERNEL_STACK_MAX]; // innermost first
    size_t count;
    char *text; // owned when read; what the names point into
};

// Parses such a text, which it cuts into pieces. Lines without a name (addresses that the kernel
// hides or does not know) are passed over.
void kernel_stack_parse(char *text, struct kernel_stack *stack);

// RC_OK with no frames: the thread ran, or the kernel does not tell. RC_DENIED, RC_GONE (also where
// the kernel has no such file). kernel_stack_fini after RC_OK.
enum rc kernel_stack_read(pid_t pid, pid_t tid, struct kernel_stack *stack) MUST_CHECK;
void kernel_stack_fini(struct kernel_stack *stack);
