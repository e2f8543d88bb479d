// SPDX-License-Identifier: MIT
// Writers of timelines. Each has a `write_timeline` and no `write`.
#pragma once

#include <stddef.h>

#include "output/writer.h"

extern const struct writer trace_writers[];
extern const size_t trace_writer_count;
