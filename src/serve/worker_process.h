// SPDX-License-Identifier: MIT
// Processes of the collector: each does one thing, is asked over a channel, and ends when that is
// closed or the collector dies. What happens to one of them happens to none of the others.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

struct worker_process { // zeroed: there is none
    pid_t pid;
    int channel;
};

// Starts one, which calls serve and then ends. It keeps no other descriptor than its channel, the
// standard streams and those in `kept` (ends in -1; NULL: none). Fails with RC_LIMIT.
enum rc worker_process_start(struct worker_process *worker, const char *name, const int *kept,
                             void (*serve)(int channel, const void *context), const void *context,
                             struct err *err) MUST_CHECK;

// Lets it end by itself: it is to be reaped later.
void worker_process_close(struct worker_process *worker);
