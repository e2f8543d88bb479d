// SPDX-License-Identifier: MIT
// The command line of `ptprof top`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "collect/session.h"
#include "commands/option.h"
#include "monitor/feed.h"
#include "tui/tui.h"

struct top_options {
    struct session_options session;
    struct feed_options feed;
    struct tui_options screen; // its sort, delay, type and idle_waits are those of blocks too
    int sort;            // of the screen; -1: not given
    int type;            // the same
    bool idle;
    bool batch, json;
    uint64_t iterations; // 0: not given
    const char *replay;  // for tests
};

extern const struct top_options top_defaults;
extern const struct option top_options[];

// Checks what concerns several options, and takes PTPROF_TOP_SORT. Fails with RC_USAGE.
enum rc top_options_check(struct top_options *options, struct err *err) MUST_CHECK;
