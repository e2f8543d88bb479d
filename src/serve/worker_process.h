// SPDX-License-Identifier: MIT
// Processes of the collector: each does one thing, is asked over a channel, and ends when that is
// closed or the collector dies. What happens to one of them happens to none of the others.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "serve/outbox.h"

struct worker_process { // zeroed: there is none
    pid_t pid;
    const char *name; // literal
    int channel; // of the collector's end: it does not block
    struct outbox outbox;
};

// Starts one, which calls serve and then ends. It keeps no other descriptor than its channel, the
// standard streams and those in `kept` (ends in -1; NULL: none). Fails with RC_LIMIT.
enum rc worker_process_start(struct worker_process *worker, const char *name, const int *kept,
                             void (*serve)(int channel, const void *context), const void *context,
                             struct err *err) MUST_CHECK;

// Sends a message, at once or when it has room for it. False when it has closed the channel, or too
// many wait there: worker_process_take says so too.
bool worker_process_send(struct worker_process *worker, const void *message, size_t length, int fd);

// Returns what to poll its channel for, and sends what waits when that says so: events are those of
// poll. Nothing is received here. False when it takes nothing, for too long, or has closed.
short worker_process_events(const struct worker_process *worker);
bool worker_process_take(struct worker_process *worker, short events);

// Lets it end by itself, within a while.
void worker_process_close(struct worker_process *worker);

// Clears up after those that have ended, and kills those that should have. It waits for none.
void worker_process_reap(void);

// Waits until all that were closed have ended.
void worker_process_reap_all(void);
