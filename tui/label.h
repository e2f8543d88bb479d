// SPDX-License-Identifier: MIT
// Facts as short texts. All of them are appended to `out`; names stay raw, the canvas escapes.
#pragma once

#include "base/buf.h"
#include "base/figures.h"
#include "rows/rows.h"
#include "tui/canvas.h"
#include "tui/state.h"

// "31.2", "100"; "" for nothing at all.
const char *label_percent(double percent, char text[FIGURES_MOST]);

// "38us", "1.9ms"; "0ns".
const char *label_hold(int64_t ns, char text[FIGURES_MOST]);

// As the state says: mangled, or with template arguments folded unless verbose.
void label_function(const struct state *state, const struct function *function, bool inlined,
                    struct buf *out);

// The same; without return type and arguments where it is wider than that.
void label_function_within(const struct state *state, const struct canvas *canvas, int width,
                           const struct function *function, bool inlined, struct buf *out);

// "file.c:12", the whole path if verbose; nothing where that is not known.
void label_line(const struct state *state, const char *file, uint32_t line, struct buf *out);

// Last component of the module, or its path if verbose.
const char *label_module(const struct state *state, const struct function *function);

// "thread 4250", "threads named worker", "all threads".
void label_threads(const struct state *state, struct buf *out);
