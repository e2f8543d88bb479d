// SPDX-License-Identifier: MIT
// What a run says at its end, on standard error.
#pragma once

#include "base/buf.h"
#include "output/report.h"

struct summary {
    const struct report *report;
    const char *threads;       // the choice of threads by their names, NULL: all
    const char *worst_cut;     // from session_worst_cut, may be NULL
    const char *path;          // of the file, NULL: standard output
    long long bytes;
    const struct writer *writer; // NULL: nothing was written
    bool color;
};

void summary_text(struct buf *out, const struct summary *summary);

// What of it has to be said however quiet we are: the targets may not be as they were. Mostly
// nothing.
void summary_alarm(struct buf *out, const struct run *run);
