// SPDX-License-Identifier: MIT
// Labels are short texts for the screen. Functions with `out` append to it. Names are not escaped
// here: the canvas does that.
#pragma once

#include "base/buf.h"
#include "rows/rows.h"
#include "tui/canvas.h"
#include "tui/state.h"

#define LABEL_MOST 32

// "31.2", "100"; "" for nothing at all.
const char *label_percent(double percent, char text[LABEL_MOST]);

// "5.20s", "13.1s", "12m05s", "3h12m".
const char *label_time(int64_t ns, char text[LABEL_MOST]);

// "0m42s", "12m05s", "3h12m", "3d04h".
const char *label_clock(int64_t ns, char text[LABEL_MOST]);

// "38us", "1.9ms": without blanks or figures that do not tell.
const char *label_hold(int64_t ns, char text[LABEL_MOST]);

// "640K", "1.2G".
const char *label_bytes(uint64_t bytes, char text[LABEL_MOST]);

// Appends the name of a function: mangled if the state says so, else demangled, with template
// arguments folded unless the state is verbose.
void label_function(const struct state *state, const struct function *function, bool inlined,
                    struct buf *out);

// Like label_function, but drops return type and arguments if the name is wider than `width`.
void label_function_within(const struct state *state, const struct canvas *canvas, int width,
                           const struct function *function, bool inlined, struct buf *out);

// Appends "file.c:12", with the whole path if verbose, or nothing if the line is not known.
void label_line(const struct state *state, const char *file, uint32_t line, struct buf *out);

// Returns the last component of the module's path, or the whole path if verbose.
const char *label_module(const struct state *state, const struct function *function);

// "thread 4250", "threads named worker", "all threads".
void label_threads(const struct state *state, struct buf *out);
