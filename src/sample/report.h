// SPDX-License-Identifier: MIT
// The sampler's side of the ring: everything but captures.
#pragma once

#include <stdint.h>

#include "sample/control.h"
#include "sample/record.h"
#include "sample/thread.h"
#include "sample/watched.h"

// False when there was no room: to be tried again.
bool report_process(struct control *control, enum record_kind kind, struct watched *process);

// Reads the thread's name and tells it, unless it is known already.
void report_thread_name(struct control *control, struct thread *thread);

// What an announced thread used since the last report. kind: RECORD_THREAD_TIME or _END.
void report_thread_time(struct control *control, enum record_kind kind, struct thread *thread);

// That a thread still slept where its newest copy in place says. It has slept there.
void report_asleep(struct control *control, struct thread *thread);

void report_process_time(struct control *control, struct watched *process);
