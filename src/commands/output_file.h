// SPDX-License-Identifier: MIT
// Where a profile goes: standard output, or a file that is complete or not there at all.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"

struct output_file {
    char *path;      // NULL: standard output
    char *temporary; // beside path until output_file_commit
    FILE *stream;
    FILE *plain;     // behind a stream that compresses; NULL: there is none
    long long bytes; // written, after the commit
};

// A name for it in the current directory, of the process, the time and the format's ending. The
// caller frees it.
char *output_file_name(const char *comm, pid_t pid, const char *extension);

// Looks before the run whether the file can be written, so that nobody samples for an hour in vain.
// RC_USAGE or RC_IO. path NULL: standard output. force: also replaces a symbolic link and a file of
// another user.
enum rc output_file_check(const char *path, bool force, struct err *err) MUST_CHECK;

// The new file is readable by its owner only: profiles show addresses and names. With sudo it is
// given to the user who called it.
enum rc output_file_begin(struct output_file *file, const char *path, struct err *err) MUST_CHECK;

// What is written to file->stream from here on is compressed (gzip).
enum rc output_file_compress(struct output_file *file, struct err *err) MUST_CHECK;

// Makes what was written to file->stream durable and visible under its name.
enum rc output_file_commit(struct output_file *file, struct err *err) MUST_CHECK;

// Leaves nothing behind (after a commit: nothing to do). The memory is given back.
void output_file_fini(struct output_file *file);

// Unlinks the unfinished file of any output_file; for signal handlers.
void output_file_abandon(void);
