// SPDX-License-Identifier: MIT
// A line above the table is put together from pieces, one beside the other. Used by the files that
// draw these lines.
#pragma once

#include "tui/picture.h"

#define PIECES_MOST 24

struct header_line {
    struct piece {
        enum role role;
        char text[48];
    } pieces[PIECES_MOST];
    size_t count;
};

void header_add(struct header_line *line, enum role role, const char *format, ...)
    PRINTF_LIKE(3, 4);
int header_width(const struct canvas *canvas, const struct header_line *line);
void header_put(struct canvas *canvas, int row, int col, int width,
                const struct header_line *line);

// Of files: draws the lines that say what they hold and when that was taken, and adds which value
// is shown.
void header_draw_file(struct canvas *canvas, const struct layout *layout,
                      const struct scene *scene, const struct state *state);
void header_add_value(struct header_line *line, const struct scene *scene,
                      const struct state *state);
