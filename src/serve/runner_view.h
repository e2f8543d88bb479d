// SPDX-License-Identifier: MIT
// What a page shows of a range of time: functions and threads, and the cells of a flame graph.
#pragma once

#include <stdio.h>

#include "base/err.h"
#include "monitor/feed.h"
#include "serve/ask.h"

#define RUNNER_VIEW_SECONDS 30 // the range is the last so many, if the question has none

// Writes the JSON that a question about a view or a flame graph asks for: that of snapshot_json.h,
// and "range" {from_ns, to_ns, kept_from_ns, kept_to_ns: since 1970 UTC}; or that of
// flame_data_write. since: ns of sampling from which on what is asked for was counted; nothing is
// kept of it from before. Of locks it shows what held them.
// Fails with RC_USAGE for a filter that cannot be understood and for a range of which nothing is
// kept, which the message tells from one that is yet to come; RC_IO.
enum rc runner_view_write(struct feed *feed, const struct snapshot *snapshot,
                          const struct ask *ask, enum profile_kind kind, int64_t since, FILE *out,
                          struct err *err) MUST_CHECK;
