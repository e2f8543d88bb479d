// SPDX-License-Identifier: MIT
// Debug files from debuginfod servers, for modules whose names were looked up and came without
// lines.
#pragma once

#include <stddef.h>

#include "symbol/source.h"

// Takes at most that long. A source whose debug file came has it in `downloaded` and wants anew
// what it knew; one that got none says why in `tried`.
void download_debug_files(struct source *sources, size_t count, int milliseconds);
