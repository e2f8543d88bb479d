// SPDX-License-Identifier: MIT
// A plain profile is made of the store's stacks, the addresses of the module table and the names of
// the symbolizer.
#pragma once

#include "profile/plain.h"
#include "profile/query.h"
#include "profile/run.h"
#include "profile/timeline.h"

#define FILL_LEFT_OUT "left out: " // how a comment begins that says what is not in the profile

// Returns a profile with the type, the rate and the times of the run. Each thread that was seen has
// a sample, though it may be empty, with these labels: thread (its name), thread_id (text), comm
// (its process's), tid and pid (numbers), and in wall time `state`. The caller frees it.
struct plain_profile *fill_profile(const struct query_source *source, const struct run *run);

// Gives a profile that has its types the rate and the times of the run.
void fill_head(struct plain_profile *profile, const struct run *run);

#define FILL_STOPPED UINT32_MAX // instead of a wait: the thread was stopped by us

// Gives a timeline, whose events name nodes and waits of the store, a profile with the code of
// these and the times of the run.
void fill_timeline(const struct query_source *source, const struct run *run,
                   struct timeline *timeline);
