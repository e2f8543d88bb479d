// SPDX-License-Identifier: MIT
// Paths as text: no file is looked at.
#pragma once

#include "base/buf.h"

// Appends the path without ".", "..", "//" and a "/" at its end, as far as its text alone can tell
// ("../x" stays). An empty path becomes ".".
void path_clean(struct buf *out, const char *path);
