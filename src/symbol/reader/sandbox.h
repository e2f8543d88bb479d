// SPDX-License-Identifier: MIT
// Gives up, for good, everything that a process which only computes does not need: privileges,
// other descriptors, files, memory and time without bound, nearly all system calls.
#pragma once

#include <stdbool.h>

struct sandbox_limits {
    unsigned long cpu_seconds;
    unsigned files;            // descriptors
};

// keep: the one descriptor that stays open. Returns false when the process still has privileges, or
// memory that it shares with others: it must end. Root that cannot become another user stays root
// by name, without capabilities and behind the filter of calls. open_for_us: what a library's
// attempt to open a file for reading comes to.
bool sandbox_enter(int keep, const struct sandbox_limits *limits,
                   int (*open_for_us)(const char *path));
