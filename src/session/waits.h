// SPDX-License-Identifier: MIT
// Why the threads that are shown live do not run: what `ptprof dump-threads` finds, looked for now
// and then. Threads that run are left alone. It costs a look at each sleeping thread's stack, so it
// is done only while somebody sees it, and for at most one part in fifty of the time.
#pragma once

#include <stdint.h>

#include "base/map.h"
#include "profile/dump.h"
#include "profile/moment.h"
#include "session/dumper.h"

struct waits { // zeroed before its first use
    struct dumper *dumper;
    pid_t pid;
    struct dump dump;  // the newest
    struct map index;  // tid -> index in it, + 1
    int64_t next_read; // CLOCK_MONOTONIC ns
};

// Looks again if it is time. What cannot be read is not known.
void waits_read(struct waits *waits, pid_t pid);

// Fills in what is known of the facts' waits.
void waits_apply(const struct waits *waits, struct thread_fact *threads, size_t count);
void waits_fini(struct waits *waits);
