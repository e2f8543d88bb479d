// SPDX-License-Identifier: MIT
#include "output/trace.h"

#include <string.h>

#include "base/mem.h"
#include "output/formats.h"

static const char *const go_endings[] = {".trace", ".out", NULL};
static const char *const perf_endings[] = {".perf.txt", ".perf", ".linux-perf.txt", NULL};
static const char *const firefox_endings[] = {".firefox.json", NULL};

const struct writer trace_writers[] = {
    {"go", ".trace", go_endings, true, "go tool trace %s", NULL, trace_go_write},
    {"perf", ".perf.txt", perf_endings, false,
     "stackcollapse-perf.pl %s | flamegraph.pl > flame.svg", NULL, trace_perf_write},
    {"chrome", ".trace.json", chrome_endings, false, "speedscope %s", NULL, trace_chrome_write},
    {"firefox", ".firefox.json", firefox_endings, false, "samply load %s", NULL,
     trace_firefox_write},
};
const size_t trace_writer_count = ARRAY_LENGTH(trace_writers);

const struct writer *trace_writer_by_name(const char *name)
{
    for (size_t i = 0; i < trace_writer_count; i++)
        if (strcmp(trace_writers[i].name, name) == 0)
            return &trace_writers[i];
    return NULL;
}

const struct writer *trace_writer_by_path(const char *path)
{
    for (size_t i = 0; i < trace_writer_count; i++)
        if (*writer_ending(&trace_writers[i], path))
            return &trace_writers[i];
    return NULL;
}
