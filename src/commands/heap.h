// SPDX-License-Identifier: MIT
// ptprof heap: one look, looks again and again, and two files.
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "commands/aside.h"
#include "commands/command.h"
#include "commands/output_file.h"
#include "heap/heap_print.h"
#include "output/writer.h"

enum heap_format { HEAP_TABLE, HEAP_JSON, HEAP_WRITER }; // the last: one of output/writer.h

struct heap_options {
    const char *output;
    int format;      // number in the choices of --format; -1: the ending of the output says it
    bool json;       // the same as --format=json
    uint64_t top;    // 0: all
    unsigned by;     // set of HEAP_BIT; 0: as the table likes it
    uint64_t examples;
    bool swapped, twice;
    int64_t watch, duration, timeout; // ns; 0: not given
    bool diff;
    bool force;
};

struct heap_run {
    struct heap_options options;
    enum heap_format format;
    const struct writer *writer; // with HEAP_WRITER
    pid_t pid;
    char *path;   // of the output, NULL: standard output; owned
    FILE *stream; // of the output
    struct aside aside;
    struct heap_target *target;
    struct kinds *kinds;
    int64_t began, deadline; // of the census at hand, CLOCK_MONOTONIC; deadline 0: none
    int64_t shown;    // when a line of progress is shown next; 0: never
    bool timed_out;
    bool printed; // something was
    bool closed;  // the reader of the output has closed it
};

extern const struct option heap_options_table[];
extern const struct heap_options heap_options_defaults;

// Says what the options mean together. Fails with RC_USAGE, or RC_IO where the output cannot be
// written.
enum rc heap_options_resolve(struct heap_run *run, size_t operands, struct err *err) MUST_CHECK;

// Takes a census; when it is ended early, by a signal or by --timeout, it says so.
enum rc heap_take(struct heap_run *run, struct heap_census **census, struct err *err) MUST_CHECK;

// Writes a text to the output. That its reader has closed it is no error.
enum rc heap_put(struct heap_run *run, const struct buf *text, struct err *err) MUST_CHECK;

// Take censuses and print what grew until a signal, --duration or the end of the process.
enum rc heap_watch(struct heap_run *run, struct err *err) MUST_CHECK;

// Prints what grew from one file to the other.
enum rc heap_diff(struct heap_run *run, char *const files[2], struct err *err) MUST_CHECK;
