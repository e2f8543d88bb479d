// SPDX-License-Identifier: MIT
// For calls that the kernel may not let return for long, or ever: a file on a network mount whose
// server is gone, or on one whose file system is a process that does not answer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

// Runs work(context) in another thread and waits for it at most that long. True: it is done. False:
// it goes on, and discard(context) is called when it ends; the caller must not touch it any more.
// While calls that were given up still hang, each of them halves what the next one gets: a target
// that maps a thousand such files does not get a thousand times our patience.
bool patience_call(void (*work)(void *context), void (*discard)(void *context), void *context,
                   int milliseconds);

// No call waits beyond that moment (CLOCK_MONOTONIC ns), those that wait now included. 0: no bound.
void patience_until(int64_t moment);
