// SPDX-License-Identifier: MIT
// This module runs the screen of `ptprof top` and prints a summary when it ends.
// `ptprof view` saves in the same way.
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "commands/top_options.h"
#include "monitor/feed.h"

// The rows of an option table for a struct that has a member `screen`. AT is the macro of that
// table.
#define TOP_SCREEN_OPTIONS                                                                         \
    {"ascii", 0, OPTION_FLAG, NULL, AT(screen.ascii), .help = "draw with ASCII only"},             \
    {"color", 0, OPTION_CHOICE, NULL, AT(screen.color), .choices = color_mode_names,               \
     .help = "colour the screen", .shown_default = "auto"},                                        \
    {"scheme", 0, OPTION_CHOICE, NULL, AT(screen.scheme), .choices = theme_choices,                \
     .help = "which colours, for a dark or a light background", .shown_default = "auto"},          \
    {"no-mouse", 0, OPTION_FLAG, NULL, AT(screen.no_mouse),                                        \
     .help = "leave the mouse to the terminal"},                                                   \
    {"no-function-bar", 0, OPTION_FLAG, NULL, AT(screen.no_function_bar),                          \
     .help = "use the last line for data too"},                                                    \
    {"script", 0, OPTION_FILE, "FILE", AT(screen.script), .help = "keys for tests",                \
     .hidden = true}

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
