// SPDX-License-Identifier: MIT
// A canvas is a screen in memory: rows x columns of cells, each a character and a role. Views draw
// into it, screen.c shows it on a terminal, tests compare it. All drawing is clipped, so views need
// not ask whether there is room. It does no I/O.
//
// Texts may be hostile: control bytes, bidirectional controls and invalid UTF-8 are shown escaped.
// The width of a character is that of wcwidth in the current locale.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/theme.h"

#define CELL_MARKS 2 // combining characters kept in a cell

struct cell {
    uint32_t code; // code point; 0: the right half of a wide character
    uint32_t marks[CELL_MARKS];
    enum role role;
};

struct canvas {
    int rows, cols;
    bool utf8; // else only ASCII is drawn
    struct cell *cells;
    int cursor_row, cursor_col; // where the terminal's cursor is; row -1: hidden
};

// Makes all cells blanks of ROLE_DEFAULT. It may be called again with another size.
void canvas_init(struct canvas *canvas, int rows, int cols, bool utf8);
void canvas_fini(struct canvas *canvas);

const struct cell *canvas_cell(const struct canvas *canvas, int row, int col);

// Returns the number of columns that the text takes.
int canvas_width(const struct canvas *canvas, const char *text);

// Draws at most `width` columns of the text and returns how many it took. Nothing marks an end
// that is cut off.
int canvas_text(struct canvas *canvas, int row, int col, int width, enum role role,
                const char *text);

// Like canvas_text, without the first `skip` columns of the text.
int canvas_scrolled(struct canvas *canvas, int row, int col, int width, int skip, enum role role,
                    const char *text);

// An ellipsis replaces the end, or the middle, of a text that does not fit.
int canvas_clipped(struct canvas *canvas, int row, int col, int width, enum role role,
                   const char *text);
int canvas_squeezed(struct canvas *canvas, int row, int col, int width, enum role role,
                    const char *text);

// Draws the text right-aligned in columns [start, end). A text that does not fit loses its
// beginning.
void canvas_right(struct canvas *canvas, int row, int start, int end, enum role role,
                  const char *text);

int canvas_glyph(struct canvas *canvas, int row, int col, enum role role, enum glyph glyph);

// canvas_fill draws blanks; canvas_paint changes only the role of the cells.
void canvas_fill(struct canvas *canvas, int row, int col, int width, enum role role);
void canvas_paint(struct canvas *canvas, int row, int col, int width, enum role role);

// Draws a blank box with a border, and a title in the border.
void canvas_box(struct canvas *canvas, int row, int col, int rows, int cols, const char *title);

// Appends the rows as text, without trailing blanks.
void canvas_save(const struct canvas *canvas, struct buf *out);

// Appends the letter of each cell's role (theme_role_letter).
void canvas_save_roles(const struct canvas *canvas, struct buf *out);
