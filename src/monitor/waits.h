// SPDX-License-Identifier: MIT
// Waits say why the threads of a snapshot do not run, and where. A thread takes the dumps of
// `ptprof dump-threads` now and then, and leaves threads that run alone. Because each dump reads
// the stacks of all threads that sleep, it does so only while somebody looks, and for at most one
// fiftieth of the time.
#pragma once

#include "rows/moment.h"

struct waits;

struct waits *waits_new(void);
void waits_free(struct waits *waits);

// Starts another dump if it is time, and waits at most so long for the one that is being taken.
void waits_read(struct waits *waits, pid_t pid, int milliseconds);

// Fills in what is known of why the threads of the moment wait.
void waits_apply(struct waits *waits, struct moment *moment);

// Fills in the stack of one thread of the moment, if it sleeps.
void waits_stack(struct waits *waits, pid_t tid, struct moment *moment);
