// SPDX-License-Identifier: MIT
// Where the profile of `ptprof attach` goes, and in which format.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "commands/attach_options.h"
#include "output/report.h"
#include "process/procfs.h"

struct attach_output {
    const struct attach_options *options; // borrowed
    pid_t pid;                            // of the first process
    char comm[COMM_MAX];                  // its name, raw bytes
    const struct writer *writer;
    char *path;      // NULL: standard output; owned
    long long bytes; // size of the profile, once it is written
    bool lost;       // it could not be written anywhere
};

// Chooses writer and path, and checks that the file can be written. Fails with RC_USAGE or RC_IO.
enum rc attach_output_choose(struct attach_output *output, struct err *err) MUST_CHECK;

// Writes the profile. If that fails because its place is gone or full, writes it elsewhere; the
// result is RC_IO all the same, and the message says where the profile is.
enum rc attach_output_write(struct attach_output *output, const struct report *report,
                            struct err *err) MUST_CHECK;

// Writes what was seen so far to a file with this number in its name. The caller frees *path.
enum rc attach_output_snapshot(const struct attach_output *output, const struct report *report,
                               unsigned number, char **path, struct err *err) MUST_CHECK;
