// SPDX-License-Identifier: MIT
// What a sampler does when the main process dies: nothing of ours may outlive that for long, but
// a thread that was asked to stop is to be seen stopping first. Were the sampler just killed then,
// the system call that the thread is about to sleep in would fail, and nobody repaired it.
#pragma once

#include <stdint.h>

#include "sample/control.h"

// From here on the death of the thread that made this process sets control->stop. Once a process.
// Where that cannot be set up, it goes on to kill this process.
void orphan_prepare(struct control *control);

// The process is killed unless it calls this again within two seconds of `next`, CLOCK_MONOTONIC
// ns: it hangs or was stopped, and there may be no watchdog any more.
void orphan_promise(int64_t next);
