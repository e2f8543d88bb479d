// SPDX-License-Identifier: MIT
// Runs symbolizer_fetch in a thread of its own: reading the debug information of a large module
// takes seconds, and neither drawing nor sampling can wait for that.
#pragma once

#include <stdbool.h>

#include "symbol/symbolizer.h"

struct fetcher;

// The symbolizer is borrowed. RC_FAIL: the thread cannot be started.
enum rc fetcher_new(struct symbolizer *symbolizer, struct fetcher **fetcher,
                    struct err *err) MUST_CHECK;
void fetcher_free(struct fetcher *fetcher);

// Starts to fetch what is wanted. From now on no other thread may use the symbolizer, until
// fetcher_wait returns true.
void fetcher_start(struct fetcher *fetcher);

// Waits for the end of the fetch. Returns false when the time is over first.
bool fetcher_wait(struct fetcher *fetcher, int milliseconds);

// Stops fetching for good. A fetch in progress gets one more second; the rest has no names.
void fetcher_stop(struct fetcher *fetcher);
