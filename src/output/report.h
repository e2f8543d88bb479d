// SPDX-License-Identifier: MIT
// What a session hands over of its run, and how that is written: it becomes a plain profile first.
#pragma once

#include "output/writer.h"
#include "profile/query.h"

struct report { // all borrowed
    const struct profile *profile;
    const struct modules *modules;
    struct symbolizer *symbolizer;
    const struct run *run;
    bool jit_suffix; // as struct writing's
};

struct query_source report_source(const struct report *report);

// With comments that say how good it is (of RUN_THREADS there are none). The caller frees it.
struct plain_profile *report_profile(const struct report *report);

// Gives a profile of the run, whose types are there, its head and those comments.
void report_head(struct plain_profile *profile, const struct run *run);

// As struct writer's write.
enum rc report_write(const struct report *report, const struct writer *writer, FILE *out,
                     struct err *err) MUST_CHECK;
