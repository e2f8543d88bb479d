// SPDX-License-Identifier: MIT
// The sampler's side of the ring: everything but captures.
#pragma once

#include <stdint.h>

#include "process/thread_filter.h"
#include "sample/control.h"
#include "sample/record.h"
#include "sample/thread.h"
#include "sample/watched.h"

// The main process must know of a process, and of what it runs, before anything else of it, and of
// a thread before any sample of it. Whether it knows that, told now if need be.
bool report_known_process(struct control *control, struct watched *process);

// Also whether the thread may be sampled. threads: only these.
bool report_known_thread(struct control *control, const struct thread_filter *threads,
                         struct thread *thread);

// False when there was no room: to be tried again.
bool report_process(struct control *control, enum record_kind kind, struct watched *process);

// Reads the thread's name and tells it, unless it is known already.
void report_thread_name(struct control *control, struct thread *thread);

// What an announced thread used since the last report. kind: RECORD_THREAD_TIME or _END.
void report_thread_time(struct control *control, enum record_kind kind, struct thread *thread);

// That a thread still slept where its newest copy in place says. It has slept there.
void report_asleep(struct control *control, struct thread *thread);

void report_process_time(struct control *control, struct watched *process);
