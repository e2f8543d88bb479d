// SPDX-License-Identifier: MIT
// The command line of `ptprof top`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/terminal.h"
#include "commands/option.h"
#include "rows/rows.h"

struct top_options {
    double rate;   // Hz
    int64_t delay; // ns between refreshes
    int sort;      // enum rows_sort, -1: not given
    bool batch, json;
    uint64_t iterations; // 0: not given
    const char *threads; // extended regular expression for names of threads, NULL: all
    bool idle, children, no_backoff, ascii, no_mouse, no_function_bar;
    enum color_mode color;
    int scheme; // of theme_choices
    const char *script, *replay; // for tests
};

extern const struct top_options top_defaults;
extern const struct option top_options[];

// What no single option can tell, and PTPROF_TOP_SORT: RC_USAGE.
enum rc top_options_check(struct top_options *options, struct err *err) MUST_CHECK;
