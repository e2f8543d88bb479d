// SPDX-License-Identifier: MIT
// Drops for good everything that a process which only parses does not need: privileges, other
// descriptors, files, unlimited memory and time, nearly all system calls.
#pragma once

#include <stdbool.h>

struct sandbox_needs {         // what is kept
    int descriptor;            // the one that stays open
    unsigned files;            // most descriptors
    unsigned long cpu_seconds; // of CPU time; RLIM_INFINITY: any
    const void *memory;        // shared memory that stays mapped; NULL: none
    int (*open)(const char *path); // called when a library tries to open a file; NULL: none does
};

// Returns false when the process still has privileges
// or memory that it shares with others: then it must exit. Root that cannot become another user
// keeps its uid, but without capabilities and behind the seccomp filter.
bool sandbox_enter(const struct sandbox_needs *needs);
