// SPDX-License-Identifier: MIT
// A screen in memory: rows x columns of cells, each a character and a role. Views draw into it,
// screen.c puts it on a terminal, tests compare it. Everything that is drawn is clipped, so views
// need not ask whether there is room. No I/O.
//
// Texts may be hostile: control bytes, bidi controls and what is not UTF-8 are shown escaped. The
// width of characters is that of wcwidth in the current locale.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "tui/theme.h"

#define CELL_MARKS 2 // combining characters that are kept

struct cell {
    uint32_t code; // 0: the right half of the wide character before it
    uint32_t marks[CELL_MARKS];
    enum role role;
};

struct canvas {
    int rows, cols;
    bool utf8; // else only ASCII is drawn
    struct cell *cells;
    int cursor_row, cursor_col; // where the terminal's cursor is shown; row -1: nowhere
};

// Blank, of the role default. May be called again with another size.
void canvas_init(struct canvas *canvas, int rows, int cols, bool utf8);
void canvas_fini(struct canvas *canvas);

const struct cell *canvas_cell(const struct canvas *canvas, int row, int col);

// Columns that the text takes.
int canvas_width(const struct canvas *canvas, const char *text);

// Draws at most `width` columns of the text and returns how many it took. What is cut at the end
// is simply missing.
int canvas_text(struct canvas *canvas, int row, int col, int width, enum role role,
                const char *text);

// The same without the first `skip` columns of the text.
int canvas_scrolled(struct canvas *canvas, int row, int col, int width, int skip, enum role role,
                    const char *text);

// Text that does not fit loses its end to an ellipsis, or its middle.
int canvas_clipped(struct canvas *canvas, int row, int col, int width, enum role role,
                   const char *text);
int canvas_squeezed(struct canvas *canvas, int row, int col, int width, enum role role,
                    const char *text);

// Ends at column `end`, exclusive, and begins at `start` or later: text that does not fit loses
// its beginning.
void canvas_right(struct canvas *canvas, int row, int start, int end, enum role role,
                  const char *text);

int canvas_printf(struct canvas *canvas, int row, int col, int width, enum role role,
                  const char *format, ...) PRINTF_LIKE(6, 7);

int canvas_glyph(struct canvas *canvas, int row, int col, enum role role, enum glyph glyph);

// Blanks in the role; or another role for what is there.
void canvas_fill(struct canvas *canvas, int row, int col, int width, enum role role);
void canvas_paint(struct canvas *canvas, int row, int col, int width, enum role role);

// Blank lines with a border around them; a title in the border.
void canvas_box(struct canvas *canvas, int row, int col, int rows, int cols, const char *title);

// The rows as text, without blanks at their ends.
void canvas_save(const struct canvas *canvas, struct buf *out);

// A letter for the role of each cell: default is a blank, the others as theme_role_letter.
void canvas_save_roles(const struct canvas *canvas, struct buf *out);
