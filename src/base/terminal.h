// SPDX-License-Identifier: MIT
// This module tells what each of our streams leads to. Each stream is asked separately, because
// stdout may be a pipe while stderr is a terminal.
#pragma once

#include <stdbool.h>

#include "base/buf.h"

enum color_mode { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };
extern const char *const color_mode_names[]; // [enum color_mode], NULL at the end

bool terminal_is(int fd);

// Returns whether to colour the stream. The user's option `mode` comes first, then PTPROF_COLOR
// (auto, always or never), else it is a terminal, TERM is not "dumb", and NO_COLOR is unset or
// empty.
bool terminal_color(int fd, enum color_mode mode);

// Does the same for a stream of which the caller knows whether it is a terminal.
bool terminal_color_of(bool is_terminal, enum color_mode mode);

// Returns the width of the terminal in columns, else what COLUMNS says, else 80.
unsigned terminal_width(int fd);

// Returns how many lines the terminal has; 0: that is not known.
unsigned terminal_height(int fd);

// Appends to `out` what clears the terminal and fills it with as much of a text as fits: lines that
// are too wide, or too many, would scroll it.
void terminal_put_screen(int fd, const struct buf *text, struct buf *out);

// Returns whether the locale writes UTF-8. setlocale must have been called.
bool terminal_utf8(void);
