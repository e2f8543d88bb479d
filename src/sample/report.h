// SPDX-License-Identifier: MIT
// The sampler's side of the ring: everything but captures.
#pragma once

#include <stdint.h>

#include "process/thread_filter.h"
#include "sample/control.h"
#include "sample/record.h"
#include "sample/thread.h"
#include "sample/watched.h"

// Returns whether the main process knows of the process and of what it runs, as it must before
// anything else of it; it is told if need be.
bool report_known_process(struct control *control, struct watched *process);

// Returns whether the thread may be sampled; the main process, which must know of it first, is told
// if need be. threads: only these.
bool report_known_thread(struct control *control, const struct thread_filter *threads,
                         struct thread *thread);

// Returns false when there was no room: to be tried again.
bool report_process(struct control *control, enum record_kind kind, struct watched *process);

// Reads the thread's name and tells it, unless the main process knows it.
void report_thread_name(struct control *control, struct thread *thread);

// Tells what an announced thread used since the last report. kind: RECORD_THREAD_TIME or _END.
void report_thread_time(struct control *control, enum record_kind kind, struct thread *thread);

// Tells how often the thread was found asleep where its newest copy in place says.
void report_asleep(struct control *control, struct thread *thread);

void report_process_time(struct control *control, struct watched *process);

// Returns whether what was used in a second is to be told, and says that all of it has been.
bool report_is_due(const struct control *control, int64_t now);
void report_second(struct control *control, int64_t now);
