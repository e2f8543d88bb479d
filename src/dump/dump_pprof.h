// SPDX-License-Identifier: MIT
#pragma once

#include <stdio.h>

#include "dump/dump.h"

// Writes a dump as a profile of type goroutine/count, as Go's: one sample a thread. Returns RC_IO
// when the stream fails.
enum rc dump_pprof(const struct dump *dump, struct modules *modules, FILE *out,
                   struct err *err) MUST_CHECK;
