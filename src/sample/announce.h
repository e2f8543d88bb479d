// SPDX-License-Identifier: MIT
// The main process must know of a process, and of what it runs, before anything else of it; and of
// a thread before any sample of it.
#pragma once

#include <stdbool.h>

#include "process/thread_filter.h"
#include "sample/control.h"
#include "sample/thread.h"
#include "sample/watched.h"

// Whether the main process knows the process as it is now; it is told.
bool announce_process(struct control *control, struct watched *process);

// Whether the thread may be sampled, of which the main process is told. threads: only these.
bool announce_thread(struct control *control, const struct thread_filter *threads,
                     struct thread *thread);
