// SPDX-License-Identifier: MIT
// A plain profile of what was seen of processes: the store's stacks, the addresses of the module
// table, the symbolizer's names.
#pragma once

#include "profile/plain.h"
#include "profile/query.h"
#include "profile/run.h"

// Of the run it takes the type, the rate and the times. Each thread that was seen is there, as a
// sample of nothing with its labels: thread (its name), thread_id (text), comm (its process's),
// tid and pid (numbers). Wall time has a label `state` too. The caller frees it.
struct plain_profile *fill_profile(const struct query_source *source, const struct run *run);

// Gives a profile whose types are there what fill_profile takes of the run beside its type.
void fill_head(struct plain_profile *profile, const struct run *run);
