// SPDX-License-Identifier: MIT
// Why the threads that are shown live do not run, and where: what `ptprof dump-threads` finds,
// looked for now and then by a thread of its own. Threads that run are left alone. It costs a look
// at each sleeping thread's stack, so it is done only while somebody sees it, and for at most one
// part in fifty of the time.
#pragma once

#include "rows/moment.h"

struct waits;

struct waits *waits_new(void);
void waits_free(struct waits *waits);

// Looks again if it is time, and waits so long for what is being looked for. What cannot be read is
// not known.
void waits_read(struct waits *waits, pid_t pid, int milliseconds);

// Fills in what is known of the waits of the moment's threads.
void waits_apply(struct waits *waits, struct moment *moment);

// Fills in the stack of a thread of the moment, if it sleeps.
void waits_stack(struct waits *waits, pid_t tid, struct moment *moment);
