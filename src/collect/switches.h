// SPDX-License-Identifier: MIT
// Switches of threads, as the kernel records them: for each thread and CPU an event is opened,
// which the threads that it starts inherit, and a thread of ours reads what is recorded and tells a
// recorder, in the order of time. Where the kernel refuses, or descriptors are short, the recorder
// hears nothing of these threads here.
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "collect/recorder.h"
#include "profile/run.h"

struct switches;

// The recorder is borrowed. children: processes that these start are followed too.
struct switches *switches_new(struct recorder *recorder, bool children);
void switches_free(struct switches *switches);

enum rc switches_start(struct switches *switches, struct err *err) MUST_CHECK;

// Has events opened for the threads of a process that have none. Any thread may call it.
void switches_follow(struct switches *switches, pid_t pid);

// Tells what has been recorded up to now and ends the thread. It may be called again.
void switches_stop(struct switches *switches);

// Says what the kernel did not tell, and of whom. Call it after the stop.
void switches_facts(const struct switches *switches, struct run_trace *facts);
