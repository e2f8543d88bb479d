// SPDX-License-Identifier: MIT
// Debug files from debuginfod servers, through elfutils' client library. It is loaded when first
// needed, by a process made for it: nobody else then needs an HTTP client and what that draws in,
// and a server that does not answer is cut off by ending the process.
#pragma once

#include <stddef.h>

struct debuginfod_job {
    char *build_id; // lower-case hex; in
    char *path;     // of the file in the user's cache; out, NULL: not to be had
    char *why;      // it is not; out
};

// Takes at most that long for all of them. The caller frees the texts.
void debuginfod_fetch(struct debuginfod_job *jobs, size_t count, int milliseconds);
