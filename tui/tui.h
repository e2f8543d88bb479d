// SPDX-License-Identifier: MIT
// The screen of `ptprof top`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/terminal.h"
#include "monitor/feed.h"
#include "rows/rows.h"

struct tui_options {
    struct feed *feed;   // borrowed
    int64_t delay;       // ns between refreshes
    enum rows_sort sort; // at the beginning
    enum color_mode color;
    int scheme;          // of theme_choices in tui/theme.h
    bool idle;           // wall time at the beginning
    bool ascii;          // no glyphs beyond ASCII, whatever the locale
    bool no_mouse;
    bool no_function_bar;
    int signals;         // descriptor of commands/interrupts.h: TERM, HUP, INT, TSTP are told there
    const char *script;  // file of keys and commands for tests, NULL: the keyboard

    // Writes what is shown as a profile to the path.
    enum rc (*save)(void *context, const struct snapshot *snapshot,
                    const struct rows_query *query, const char *path, struct err *err);
    void *context; // of save
};

// Shows it until the user quits or a signal asks for it; the terminal is then as it was. RC_USAGE
// when there is no terminal that can be drawn on: nothing has been shown then. Else what feed_error
// says. With a script: RC_IO, RC_FORMAT with the number of the line.
enum rc tui_run(const struct tui_options *options, struct err *err) MUST_CHECK;
