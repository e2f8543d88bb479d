// SPDX-License-Identifier: MIT
// A profile goes to standard output, or to a file that appears only when it is complete.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"
#include "output/report.h"

struct output_file {
    char *path;      // NULL: standard output
    char *temporary; // name beside `path` until output_file_commit; may be NULL
    FILE *stream;
    FILE *plain;     // below `stream`, if that compresses; else NULL
    long long bytes; // size, after the commit
};

// Returns a name in the current directory, made from process, time and extension. The caller frees
// it.
char *output_file_name(const char *comm, pid_t pid, const char *extension);

// Checks before the run whether the file can be written, so that no run is in vain. Fails with
// RC_USAGE or RC_IO. path: NULL is standard output. force: a symbolic link or a file of another
// user may be replaced.
enum rc output_file_check(const char *path, bool force, struct err *err) MUST_CHECK;

// Begins a file that only its owner can read, because profiles have addresses and names. Under sudo
// the owner is the user who called sudo.
enum rc output_file_begin(struct output_file *file, const char *path, struct err *err) MUST_CHECK;

// Has everything compressed (gzip) that is written to file->stream from here on.
enum rc output_file_compress(struct output_file *file, struct err *err) MUST_CHECK;

// Flushes file->stream to the disk and gives the file its name.
enum rc output_file_commit(struct output_file *file, struct err *err) MUST_CHECK;

// Frees the memory, and unlinks a file that was not committed.
void output_file_fini(struct output_file *file);

// Writes a report to a file of its own, compressed if its name says so. *bytes is the size.
enum rc output_file_report(const char *path, const struct writer *writer,
                           const struct report *report, long long *bytes,
                           struct err *err) MUST_CHECK;

// Does the same with a timeline.
enum rc output_file_timeline(const char *path, const struct writer *writer,
                             const struct timeline *timeline, long long *bytes,
                             struct err *err) MUST_CHECK;

// Unlinks an unfinished file. Signal handlers may call it.
void output_file_abandon(void);
