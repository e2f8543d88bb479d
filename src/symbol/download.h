// SPDX-License-Identifier: MIT
// Debug files from debuginfod servers for modules whose symbols were looked up but have no lines.
#pragma once

#include <stddef.h>

#include "symbol/source.h"

// Takes at most that long. If the debug file of a source was found, its path is put in
// `downloaded`, and all places of the source are wanted again; otherwise `tried` says why not.
void download_debug_files(struct source *sources, size_t count, int milliseconds);
