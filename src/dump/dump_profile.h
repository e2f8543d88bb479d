// SPDX-License-Identifier: MIT
// A dump becomes a plain profile. The labels are those of fill_profile.
#pragma once

#include "base/map.h"
#include "dump/dump.h"
#include "profile/plain.h"

// Returns a profile of type threads, as Go's goroutine: one sample a thread, with the labels
// `state` (running, queued, blocked), `wait` (wait_kind_names) of those that are blocked, and of
// those that wait for a lock `lock`: its variable or its address. The caller frees it.
struct plain_profile *dump_threads_profile(const struct dump *dump, struct modules *modules);

// Returns a profile of type threadcreate: of each thread the function that it started in, called by
// a creator that was not seen. Threads in `known` (tid -> 1) are left out. The caller frees it.
struct plain_profile *dump_starts_profile(const struct dump *dump, struct modules *modules,
                                          const struct map *known);
