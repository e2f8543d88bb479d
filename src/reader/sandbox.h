// SPDX-License-Identifier: MIT
// Drops for good everything that a process which only parses does not need: privileges, other
// descriptors, files, unlimited memory and time, nearly all system calls.
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct sandbox_needs {         // what is kept
    int descriptor;            // the one that stays open; -1: others have been closed already
    unsigned files;            // most descriptors
    unsigned long cpu_seconds; // of CPU time; RLIM_INFINITY: any
    unsigned long file_size;   // bytes that it may write to a file or to memory of its own
    const void *memory;        // shared memory that stays mapped; NULL: none
    const unsigned *calls;     // system calls beside those that parsing needs
    size_t call_count;
    int (*open)(const char *path); // called when a library tries to open a file; NULL: none does
};

// Returns false when the process still has privileges
// or memory that it shares with others: then it must exit. Root that cannot become another user
// keeps its uid, but without capabilities and behind the seccomp filter.
bool sandbox_enter(const struct sandbox_needs *needs);
