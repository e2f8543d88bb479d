// SPDX-License-Identifier: MIT
// What each of our streams leads to. Asked of each stream by itself: stdout may be a pipe while
// stderr is a terminal.
#pragma once

#include <stdbool.h>

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
extern const char *const color_mode_names[]; // [enum color_mode], ends in NULL

bool terminal_is(int fd);

// Whether to colour the stream. `mode` is the user's flag and beats PTPROF_COLOR (auto, always or
// never), which beats the guess: a terminal, TERM not "dumb", NO_COLOR unset or empty.
bool terminal_color(int fd, enum color_mode mode);

// The same for a stream of which the caller knows whether it is a terminal.
bool terminal_color_of(bool is_terminal, enum color_mode mode);

// Columns: of the terminal, else of COLUMNS, else 80.
unsigned terminal_width(int fd);

// Whether the locale (setlocale was called) writes UTF-8.
bool terminal_utf8(void);
