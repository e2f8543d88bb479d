// SPDX-License-Identifier: MIT
// The main process' side of the symbol process: starts it when first asked, hands it files, takes
// its answers under a time limit, ends it. Without isolation the same work is done in place.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "symbol/roots.h"
#include "symbol/wire.h"

struct worker;

struct worker_question { // the addresses of one module
    uint32_t module; // number, as the caller likes
    const char *path;
    const char *extra; // file to look for debug information in first, NULL: none
    uint32_t depth;    // enum binary_depth
    int (*open)(void *context); // a descriptor of the file, -1: there is none
    void *context;
    const uint64_t *vaddrs;
    size_t count;
};

// sink: takes the answers; borrowed. With another process the numbers of texts begin anew:
// `restarted` is called then.
struct worker *worker_new(const struct wire_sink *sink, void (*restarted)(void *context),
                          struct roots *roots);
void worker_free(struct worker *worker);

// From now on in a process of its own. Call it before anything is asked.
void worker_isolate(struct worker *worker);

// The time that one question may take, ms; 60 s unless set.
void worker_set_patience(struct worker *worker, int milliseconds);

// What is being asked fails soon, and all that is asked later at once. From any thread.
void worker_cancel(struct worker *worker);

// Somebody waits for the answers now: the process no longer comes last of all (base/thread.h). From
// any thread.
void worker_hurry(struct worker *worker);

// What is asked fails from that moment on (CLOCK_MONOTONIC ns); 0: no such moment.
void worker_set_deadline(struct worker *worker, int64_t moment);

// Asks, and hands the answers to the sink; those that came before a failure count. RC_FAIL: the
// process died, RC_TIMEOUT: it took too long, RC_FORMAT: it talks nonsense. It is gone then, and
// the next question starts another one. RC_LIMIT: none could be started. RC_IO: there is no file.
enum rc worker_ask(struct worker *worker, const struct worker_question *question) MUST_CHECK;

// The process is to look at the module anew when it is asked again.
void worker_forget(struct worker *worker, uint32_t module);

// Starts the process now, if none runs, and not when first asked. RC_LIMIT: there can be none.
enum rc worker_start(struct worker *worker) MUST_CHECK;

// Of the symbol process, 0: none runs.
int worker_pid(const struct worker *worker);

// What the symbol process runs, to its end.
void worker_serve(int channel) __attribute__((noreturn));

// For tests: something else runs there.
void worker_set_service(struct worker *worker, void (*serve)(int channel));
