// SPDX-License-Identifier: MIT
// Writers of timelines. Each has a `write_timeline` and no `write`.
#pragma once

#include <stddef.h>

#include "output/writer.h"

extern const struct writer trace_writers[];
extern const size_t trace_writer_count;

// Return the writer of that name, or of the ending of the path; NULL if there is none.
const struct writer *trace_writer_by_name(const char *name);
const struct writer *trace_writer_by_path(const char *path);
