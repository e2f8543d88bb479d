// SPDX-License-Identifier: MIT
#include "tui/header_line.h"

#include <stdarg.h>
#include <stdio.h>

void header_add(struct header_line *line, enum role role, const char *format, ...)
{
    if (line->count == PIECES_MOST)
        return;
    struct piece *piece = &line->pieces[line->count++];
    piece->role = role;
    va_list args;
    va_start(args, format);
    vsnprintf(piece->text, sizeof piece->text, format, args);
    va_end(args);
}

int header_width(const struct canvas *canvas, const struct header_line *line)
{
    int width = 0;
    for (size_t i = 0; i < line->count; i++)
        width += canvas_width(canvas, line->pieces[i].text);
    return width;
}

void header_put(struct canvas *canvas, int row, int col, int width,
                const struct header_line *line)
{
    int used = 0;
    for (size_t i = 0; i < line->count; i++)
        used += canvas_text(canvas, row, col + used, width - used, line->pieces[i].role,
                            line->pieces[i].text);
}
