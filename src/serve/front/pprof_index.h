// SPDX-License-Identifier: MIT
#pragma once

#include "base/buf.h"

// Appends the page that Go programs have at /debug/pprof/: which profiles there are. facts: what
// the collector said of the target (ASK_INDEX).
void pprof_index(struct buf *out, const char *prefix, const char *facts);
