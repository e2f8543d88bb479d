// SPDX-License-Identifier: MIT
// The screen of `ptprof top` and `ptprof view`.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/terminal.h"
#include "monitor/feed.h"
#include "rows/rows.h"
#include "tui/keymap.h"

struct tui_options {
    struct feed *feed;   // borrowed
    int64_t delay;       // ns between refreshes
    enum rows_sort sort; // initial order
    enum color_mode color;
    int scheme;          // index into theme_choices (tui/theme.h)
    enum profile_kind type; // shown first: PROFILE_CPU, WALL, BLOCK or MUTEX
    enum subject subject;
    const struct plain_profile *file; // of which a value is shown first; NULL: of a run
    size_t value;        // its number
    const char *label;   // by which samples of the file are told apart, NULL: by threads
    bool idle_waits;     // of block, shown first too
    bool ascii;          // draws only ASCII, whatever the locale
    bool no_mouse;
    bool no_function_bar;
    int signals;         // signalfd of commands/interrupts.h: TERM, HUP, INT, TSTP
    const char *script;  // file of keys and commands for tests, NULL: the keyboard

    // Writes the shown part of the profile to the path.
    enum rc (*save)(void *context, const struct snapshot *snapshot,
                    const struct rows_query *query, const char *path, struct err *err);
    void *context; // first argument of `save`
};

// Shows the screen until the user quits or a signal ends it, and restores the terminal. Fails with
// RC_USAGE, having shown nothing, if no terminal can be drawn on, or with what feed_error says. A
// script also fails with RC_IO, or RC_FORMAT and the number of the line.
enum rc tui_run(const struct tui_options *options, struct err *err) MUST_CHECK;
