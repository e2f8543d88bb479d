// SPDX-License-Identifier: MIT
// Where a sleeping thread is inside the kernel, from /proc/PID/task/TID/stack. Only root may read
// it, and only kernels built with CONFIG_STACKTRACE have it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"

#define KERNEL_STACK_MAX 64 // frames; the kernel shows at most as many

struct kernel_frame {
    const char *function; // points into the parsed text
    const char *module;   // kernel module; "" for built-in code
    uint64_t offset;      // of the return address from the function's start
};

struct kernel_stack {
    struct kernel_frame frames[KERNEL_STACK_MAX]; // innermost first
    size_t count;
    char *text; // owned when read; the names point into it
};

// Parses the text of the file and writes into it. Lines without a name (the kernel hides an address
// or has no symbol for it) are skipped.
void kernel_stack_parse(char *text, struct kernel_stack *stack);

// RC_OK with no frames means that the thread was running, or that the kernel shows nothing.
// RC_DENIED; RC_GONE, also when this kernel has no such file. After RC_OK the caller calls
// kernel_stack_fini.
enum rc kernel_stack_read(pid_t pid, pid_t tid, struct kernel_stack *stack) MUST_CHECK;
void kernel_stack_fini(struct kernel_stack *stack);
