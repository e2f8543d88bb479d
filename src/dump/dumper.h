// SPDX-License-Identifier: MIT
// Looks at all threads of a process: sleeping ones in place, running ones by a short stop each.
// What `ptprof dump-threads` stands on. Prints nothing.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "dump/dump.h"

struct dumper_options {
    const char *threads; // extended regular expression for names of threads, NULL: all
    bool stop_all;       // hold all threads at one moment
    bool stop_cut;       // stop sleeping threads whose stacks need registers that only a stop tells
    bool kernel;         // frames of the kernel too, of threads that sleep
    int64_t timeout;     // ns for one dump
    bool (*interrupted)(void *context); // asked often: whether to end it now; NULL: never
    void *context;
};

struct dumper;

// Looks whether the process can be looked at, touching nothing. Errors as session_open's.
enum rc dumper_open(pid_t pid, const struct dumper_options *options, struct dumper **dumper,
                    struct err *err) MUST_CHECK;
void dumper_close(struct dumper *dumper);

// One dump; it is the caller's, for dump_fini, and must not outlive the dumper. What is cached of
// code and symbols serves the next one. RC_OK also for what is not complete (dump->end says so);
// RC_GONE: it ended before one thread was read.
enum rc dumper_take(struct dumper *dumper, struct dump *dump, struct err *err) MUST_CHECK;

// Somebody wants it to end: what is read and named from now on gets half a second. From any thread.
void dumper_hurry(struct dumper *dumper);

struct modules *dumper_modules(const struct dumper *dumper);
struct symbolizer *dumper_symbolizer(const struct dumper *dumper);
