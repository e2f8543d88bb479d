// SPDX-License-Identifier: MIT
#include "output/trace.h"

#include "base/mem.h"
#include "output/formats.h"

static const char *const go_endings[] = {".trace", ".out", NULL};

const struct writer trace_writers[] = {
    {"go", ".trace", go_endings, true, "go tool trace %s", NULL, trace_go_write},
};
const size_t trace_writer_count = ARRAY_LENGTH(trace_writers);
