// SPDX-License-Identifier: MIT
// Labels are short texts for the screen. Functions with `out` append to it. Names are not escaped
// here: the canvas does that.
#pragma once

#include "base/buf.h"
#include "base/figures.h"
#include "rows/rows.h"
#include "tui/canvas.h"
#include "tui/scene.h"

// "31.2", "100"; "" for nothing at all.
const char *label_percent(double percent, char text[FIGURES_MOST]);

// The same; of two profiles "+31.2", "-0.4".
const char *label_share(const struct state *state, double percent, char text[FIGURES_MOST]);

// A value in its unit: "12.4s"; of a file "1.2M", of two "+1.2M".
const char *label_value(const struct scene *scene, const struct state *state, int64_t value,
                        char text[FIGURES_MOST]);

// "38us", "1.9ms"; "0ns".
const char *label_hold(int64_t ns, char text[FIGURES_MOST]);

// Appends the name of a function: mangled if the state says so, else demangled. Unless the state is
// verbose, template arguments are folded, and a name that is wider than `width` loses return type
// and arguments.
void label_function_within(const struct state *state, const struct canvas *canvas, int width,
                           const struct function *function, bool inlined, struct buf *out);

// Appends "file.c:12", with the whole path if verbose, or nothing if the line is not known.
void label_line(const struct state *state, const char *file, uint32_t line, struct buf *out);

// Returns the last component of the module's path, or the whole path if verbose.
const char *label_module(const struct state *state, const struct function *function);

// "thread 4250", "threads named worker", "all threads".
void label_threads(const struct state *state, struct buf *out);
