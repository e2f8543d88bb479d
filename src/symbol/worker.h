// SPDX-License-Identifier: MIT
// The main process' side of the symbol process: starts it when it is first needed, passes it files,
// receives its answers under a time limit, and ends it. Without isolation the same work is done in
// this process.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "symbol/roots.h"
#include "symbol/wire.h"

struct worker;

struct worker_question { // addresses of one module
    uint32_t module; // any number that the caller chooses
    const char *path;
    const char *extra; // file to look for debug information in first, or NULL
    uint32_t depth;    // enum binary_depth
    int (*open)(void *context); // returns a descriptor of the file, or -1
    void *context;
    const uint64_t *vaddrs;
    size_t count;
};

// `sink` receives the answers; it is borrowed. `restarted` is called when another symbol process is
// started, with which the numbers of texts begin anew.
struct worker *worker_new(const struct wire_sink *sink, void (*restarted)(void *context),
                          struct roots *roots);
void worker_free(struct worker *worker);

// Makes questions go to a process of its own. It must be called before the first one.
void worker_isolate(struct worker *worker);

// Sets the time that one question may take, in ms; 60 s unless set.
void worker_set_patience(struct worker *worker, int milliseconds);

// Makes the present question fail soon, and all later ones at once. Any thread may call it.
void worker_cancel(struct worker *worker);

// Says that somebody waits for the answers now: the process no longer runs at the lowest priority
// (base/thread.h). Any thread may call it.
void worker_hurry(struct worker *worker);

// Makes every question fail from that moment on (CLOCK_MONOTONIC ns); 0: there is no such moment.
void worker_set_deadline(struct worker *worker, int64_t moment);

// Asks a question and passes the answers to the sink; those received before a failure count.
// RC_FAIL: the process died; RC_TIMEOUT: it took too long; RC_FORMAT: it violated the protocol. In
// these cases the process is ended, and the next question starts another one. RC_LIMIT: no process
// could be started. RC_IO: the file cannot be opened.
enum rc worker_ask(struct worker *worker, const struct worker_question *question) MUST_CHECK;

// Makes the process open the module anew when it is asked about it again.
void worker_forget(struct worker *worker, uint32_t module);

// Starts the process now, unless it runs already. RC_LIMIT: it could not be started.
enum rc worker_start(struct worker *worker) MUST_CHECK;

// Returns the pid of the symbol process, 0 when none runs.
int worker_pid(const struct worker *worker);

// The main loop of the symbol process.
void worker_serve(int channel) __attribute__((noreturn));

// For tests: replaces worker_serve.
void worker_set_service(struct worker *worker, void (*serve)(int channel));
