// SPDX-License-Identifier: MIT
// Drops for good everything that a process which only parses does not need: privileges, other
// descriptors, files, unlimited memory and time, nearly all system calls.
#pragma once

#include <stdbool.h>

struct sandbox_limits {
    unsigned long cpu_seconds;
    unsigned files;            // most descriptors
};

// `keep` is the one descriptor that stays open. Returns false when the process still has privileges
// or memory that it shares with others: then it must exit. Root that cannot become another user
// keeps its uid, but without capabilities and behind the seccomp filter. `open_for_us` is called
// instead when a library tries to open a file for reading.
bool sandbox_enter(int keep, const struct sandbox_limits *limits,
                   int (*open_for_us)(const char *path));
