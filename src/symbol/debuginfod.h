// SPDX-License-Identifier: MIT
// Debug files from debuginfod servers, by elfutils' client library. A process made for that loads
// the library when it is first needed. So no other process loads an HTTP client and its
// dependencies, and when a server does not answer, ending that process ends the wait.
#pragma once

#include <stddef.h>

struct debuginfod_job {
    char *build_id; // input: lower-case hex
    char *path;     // output: the file in the user's cache, or NULL
    char *why;      // output: why there is no path
};

// Fetches the files of all jobs within that time. The caller frees the texts.
void debuginfod_fetch(struct debuginfod_job *jobs, size_t count, int milliseconds);
