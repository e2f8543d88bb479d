// SPDX-License-Identifier: MIT
// Where the profiles of `ptprof attach` go, one for each type, and in which format.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "commands/attach_options.h"
#include "output/report.h"
#include "process/procfs.h"

struct attach_output {
    enum profile_kind kind;
    const struct writer *writer;
    char *path;      // NULL: standard output; owned
    long long bytes; // size of the profile, once it is written
};

struct attach_outputs {
    const struct attach_options *options; // borrowed
    pid_t pid;                            // of the first process
    char comm[COMM_MAX];                  // its name, raw bytes
    struct attach_output list[PROFILE_KINDS];
    size_t count;
    struct timeline *timeline; // of a trace, set before it is written; owned
    bool lost; // one of them could not be written anywhere
};

// Chooses writers and paths, and checks that the files can be written. Fails with RC_USAGE or
// RC_IO.
enum rc attach_outputs_choose(struct attach_outputs *outputs, unsigned types,
                              struct err *err) MUST_CHECK;
void attach_outputs_fini(struct attach_outputs *outputs);

// Writes the profiles, and as much of a trace as its file may hold: *trace says how much. If that
// fails because a place is gone or full, writes them elsewhere; the result is RC_IO all the same,
// and the message says where each is.
enum rc attach_outputs_write(struct attach_outputs *outputs, const struct report *report,
                             struct run_trace *trace, struct err *err) MUST_CHECK;

// Prints the profiles as `ptprof report` does. made: [enum profile_kind].
enum rc attach_outputs_report(const struct attach_outputs *outputs,
                              struct plain_profile *const *made, struct err *err) MUST_CHECK;

// Returns the first that is no trace, or NULL.
const struct attach_output *attach_outputs_profile(const struct attach_outputs *outputs);

// Writes what was seen so far, except a trace, to files with this number in their names. The caller
// frees *paths, which are for people.
enum rc attach_outputs_snapshot(const struct attach_outputs *outputs, const struct report *report,
                                unsigned number, char **paths, struct err *err) MUST_CHECK;
