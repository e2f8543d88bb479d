// SPDX-License-Identifier: MIT
// The screen of `ptprof top`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/terminal.h"
#include "profile/rows.h"
#include "session/feed.h"

struct tui_options {
    struct feed *feed;   // borrowed
    int64_t delay;       // ns between refreshes
    enum rows_sort sort; // at the beginning
    enum color_mode color;
    bool ascii;          // no glyphs beyond ASCII, whatever the locale
    bool no_mouse;
    bool no_function_bar;
    int signals;         // descriptor of commands/interrupts.h: TERM, HUP, INT, TSTP are told there
    const char *script;  // file of keys and commands for tests, NULL: the keyboard

    // Writes what is shown as a profile. path NULL: the default name, which is written to *written
    // (the caller frees it) as it is in any case.
    enum rc (*save)(void *context, const struct snapshot *snapshot,
                    const struct rows_query *query, const char *path, char **written,
                    struct err *err);
    void *context; // of save
};

// Shows it until the user quits; the terminal is then as it was. An enum rc: RC_OK, or RC_FAIL when
// there is no terminal that can be drawn on.
enum rc tui_run(const struct tui_options *options, struct err *err) MUST_CHECK;
