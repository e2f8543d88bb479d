// SPDX-License-Identifier: MIT
#pragma once

#include <stdbool.h>

#include "base/buf.h"

// Appends the page that Go programs have at /debug/pprof/: which profiles there are. facts: what
// the collector said of the target (ASK_INDEX). by_argument: which target it is does not the path
// say but an argument, which links are to have too.
void pprof_index(struct buf *out, const char *prefix, const char *facts, bool by_argument);
