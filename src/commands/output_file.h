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

// Returns a name in the current directory, made of what the profile is of (the name of a process),
// which one (its PID), the time and the extension. The caller frees it.
char *output_file_name(const char *what, const char *which, const char *extension);

// Checks before the run whether the file can be written, so that no run is in vain. Fails with
// RC_USAGE or RC_IO. path: NULL is standard output. force: a symbolic link or a file of another
// user may be replaced.
enum rc output_file_check(const char *path, bool force, struct err *err) MUST_CHECK;

// Fails with RC_USAGE: a profile in a binary format was to go to a terminal.
enum rc output_file_refuse_terminal(struct err *err) MUST_CHECK;

// Begins a file that only its owner can read, because profiles have addresses and names. Under sudo
// the owner is the user who called sudo.
enum rc output_file_begin(struct output_file *file, const char *path, struct err *err) MUST_CHECK;

// Has everything compressed (gzip) that is written to file->stream from here on.
enum rc output_file_compress(struct output_file *file, struct err *err) MUST_CHECK;

// Flushes file->stream to the disk and gives the file its name.
enum rc output_file_commit(struct output_file *file, struct err *err) MUST_CHECK;

// Says on standard error which file was written, and how large it is.
void output_file_say(const char *path, long long bytes);

// Frees the memory, and unlinks a file that was not committed.
void output_file_fini(struct output_file *file);

struct output_content { // one of the four; all borrowed
    const struct report *report;
    const struct timeline *timeline;
    const struct plain_profile *profile;
    const struct buf *bytes; // as they are
    const struct writer *writer; // of all but bytes
};

// Writes to a file of its own, compressed if its name says so. *bytes is the size.
enum rc output_file_write(const char *path, const struct output_content *content,
                          long long *bytes, struct err *err) MUST_CHECK;

// Unlinks an unfinished file. Signal handlers may call it.
void output_file_abandon(void);
