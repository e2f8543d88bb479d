// SPDX-License-Identifier: MIT
// The summary of a run is printed at its end on standard error.
#pragma once

#include "base/buf.h"
#include "collect/session_report.h"
#include "commands/attach_output.h"
#include "output/report.h"

struct summary {
    const struct report *report;
    const char *threads;       // value of --threads, NULL: all
    const char *worst_cut;     // from session_worst_cut, may be NULL
    const struct attach_output *files; // what was written, one for each type; NULL: of a screen
    size_t file_count;
    bool color;
};

void summary_text(struct buf *out, const struct summary *summary);

// Appends what is printed even with --quiet: that a target may not be in the state that it was in.
// Usually that is nothing.
void summary_alarm(struct buf *out, const struct run *run);
