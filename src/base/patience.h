// SPDX-License-Identifier: MIT
// Some system calls may not return for a long time, or ever: access to a file on a network mount
// whose server is gone, or on a FUSE mount whose process does not answer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Runs work(context) in another thread and waits for it, at most `milliseconds`. Returns whether
// work has returned. If it has not, discard(context) is called when it does, and the caller must
// not touch context any more. It is called at once, without work, if no call waits any longer
// (patience_until): threads for which nobody waits would keep others from the CPUs. Each call that
// still hangs halves the time that the next one gets, so that a target with a thousand such files
// does not cost a thousand times the time.
bool patience_call(void (*work)(void *context), void (*discard)(void *context), void *context,
                   int milliseconds);

// Returns how long a caller that waits until `deadline` (CLOCK_MONOTONIC ns) may wait before it
// asks again, ms; 0: no longer.
int patience_left(int64_t deadline);

// Sets the moment (CLOCK_MONOTONIC ns) beyond which no call waits, even one that waits now. 0:
// none.
void patience_until(int64_t moment);
