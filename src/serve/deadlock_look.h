// SPDX-License-Identifier: MIT
// The last look for a deadlock of a target. Only threads that sleep are read, in place: nobody is
// stopped. A look takes as long as a dump of threads, so it is taken now and then, by whichever job
// finds that it is time, into memory that the collector shares with its jobs.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "serve/health.h"
#include "serve/target.h"

struct deadlock_look {
    _Atomic int64_t begun;         // CLOCK_MONOTONIC ns, by the newest one; 0: there was none
    uint64_t start_time;           // of the process that it is of, as in its stat
    int64_t at;                    // when the last one was over; 0: none was
    enum health_deadlock found;
    uint64_t threads, unread;      // looked at, and of them those that ran or could not be read
    char text[384]; // who waits for whom, or why it is not known; escaped, ends in NUL
};

// Makes one; NULL: there is no memory. It is for deadlock_look_free to free.
struct deadlock_look *deadlock_look_new(void);
void deadlock_look_free(struct deadlock_look *look);

// Takes a new look when the last one is older than `often` (ns), or was of a process before this
// one. over: says that nobody waits for it any more.
void deadlock_look_take(struct deadlock_look *look, const struct serve_target *target,
                        int64_t often, bool (*over)(void *context), void *context);
