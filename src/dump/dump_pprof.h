// SPDX-License-Identifier: MIT
#pragma once

#include <stdio.h>

#include "dump/dump.h"

// Writes a dump as a profile of type threads/count, which programs read like Go's goroutine
// profile: one sample a thread. Returns RC_IO when the stream fails.
enum rc dump_pprof(const struct dump *dump, struct modules *modules, struct symbolizer *symbolizer,
                   FILE *out, struct err *err) MUST_CHECK;
