// SPDX-License-Identifier: MIT
// Has a symbolizer fetch in a thread of its own: reading the debug information of a large module
// takes seconds, and nobody who draws or samples can wait for that.
#pragma once

#include <stdbool.h>

#include "symbol/symbolizer.h"

struct fetcher;

// The symbolizer is borrowed. RC_FAIL: no thread can be started.
enum rc fetcher_new(struct symbolizer *symbolizer, struct fetcher **fetcher,
                    struct err *err) MUST_CHECK;
void fetcher_free(struct fetcher *fetcher);

// Fetches what is wanted. From here on nobody touches the symbolizer, until fetcher_wait says so.
void fetcher_start(struct fetcher *fetcher);

// True once nothing is being fetched; false when that took longer.
bool fetcher_wait(struct fetcher *fetcher, int milliseconds);

// Nothing more will be fetched: what takes longer than a second has no names.
void fetcher_stop(struct fetcher *fetcher);
