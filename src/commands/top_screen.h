// SPDX-License-Identifier: MIT
// The screen of `ptprof top`, and what it says when it is left.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "commands/top_options.h"
#include "monitor/feed.h"

// Shows it until the user quits, and prints the summary on standard error. RC_USAGE when there is
// no terminal that can be drawn on: nothing has been shown then. signals: descriptor of
// commands/interrupts.h.
enum rc top_screen_run(const struct top_options *options, struct feed *feed, int signals,
                       struct err *err) MUST_CHECK;
