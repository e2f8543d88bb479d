// SPDX-License-Identifier: MIT
// A report is the result of a session. To be written it becomes a plain profile.
#pragma once

#include "output/writer.h"
#include "profile/query.h"

struct report { // all borrowed
    const struct profile *profile;
    const struct modules *modules;
    struct symbolizer *symbolizer;
    const struct run *run;
    bool jit_suffix; // see struct writing
    // Profiles that are not made of the store: [enum profile_kind], NULL elsewhere. NULL: there are
    // none.
    struct plain_profile *const *made;
};

struct query_source report_source(const struct report *report);

// Returns a plain profile, which the caller frees. Its comments describe the run, if that
// took samples at a rate.
struct plain_profile *report_profile(const struct report *report);

// Gives a profile of the run that has its types the rest of its head, and those comments.
void report_head(struct plain_profile *profile, const struct run *run);

// Says in the comments of a timeline what is known of the run now, in place of what it said before.
void report_timeline(struct timeline *timeline, const struct run *run);

// Writes the profile as struct writer's write does.
enum rc report_write(const struct report *report, const struct writer *writer, FILE *out,
                     struct err *err) MUST_CHECK;
