// SPDX-License-Identifier: MIT
// Reads all threads of a process: blocked ones in place, running ones with a short stop each.
// `ptprof dump-threads` is built on it. It prints nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "dump/dump.h"

struct dumper_options {
    const char *threads; // extended regular expression for names of threads, NULL: all
    bool stop_all;       // all threads are held at one moment
    // Blocked threads are stopped if their stacks need registers that only a stop shows.
    bool stop_cut;
    bool kernel;         // frames of the kernel are added to blocked threads
    int64_t timeout;     // ns for one dump
    // Called often; returns true to end the dump now. NULL: never.
    bool (*interrupted)(void *context);
    void *context;
};

struct dumper;

// Checks whether the process can be read, without touching it. Returns the errors of session_open.
enum rc dumper_open(pid_t pid, const struct dumper_options *options, struct dumper **dumper,
                    struct err *err) MUST_CHECK;
void dumper_close(struct dumper *dumper);

// Takes one dump. The caller owns it, frees it with dump_fini, and may not keep it longer than the
// dumper. What is cached of code and symbols is used by the next one. Returns RC_OK also for a dump
// that is not complete (dump->end says so), and RC_GONE when the process ended before one thread
// was read.
enum rc dumper_take(struct dumper *dumper, struct dump *dump, struct err *err) MUST_CHECK;

// Has the current dump end soon: what is read and named from now on gets half a second. It may be
// called from any thread.
void dumper_hurry(struct dumper *dumper);

struct modules *dumper_modules(const struct dumper *dumper);
struct symbolizer *dumper_symbolizer(const struct dumper *dumper);
