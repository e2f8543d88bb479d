// SPDX-License-Identifier: MIT
// Tells what it means that a thread may not be traced.
#pragma once

#include "sample/control.h"
#include "sample/thread.h"

// Counts a stop that the kernel did not permit, with who traces the thread. A thread of the kernel
// is not asked again; one that has ended, or is held by a sampler thread of ours, does not count.
void refusal_count(struct control *control, struct thread *thread);
