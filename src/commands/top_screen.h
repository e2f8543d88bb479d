// SPDX-License-Identifier: MIT
// This module runs the screen of `ptprof top` and prints a summary when it ends.
// `ptprof view` saves in the same way.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "commands/top_options.h"
#include "monitor/feed.h"

// Writes what the query shows as a profile; context: the feed (struct tui_options). An existing
// file is not overwritten.
enum rc top_screen_save(void *context, const struct snapshot *snapshot,
                        const struct rows_query *query, const char *path,
                        struct err *err) MUST_CHECK;

// Shows the screen until the user quits, and prints the summary on standard error. Fails with
// RC_USAGE, having shown nothing, if no terminal can be drawn on. signals: descriptor of
// commands/interrupts.h.
enum rc top_screen_run(const struct top_options *options, struct feed *feed, int signals,
                       struct err *err) MUST_CHECK;
