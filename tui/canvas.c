// SPDX-License-Identifier: MIT
#include "tui/canvas.h"

#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include "base/escape.h"
#include "base/mem.h"

void canvas_init(struct canvas *canvas, int rows, int cols, bool utf8)
{
    canvas->rows = rows > 0 ? rows : 0;
    canvas->cols = cols > 0 ? cols : 0;
    canvas->utf8 = utf8;
    canvas->cursor_row = -1;
    canvas->cursor_col = 0;
    size_t count = (size_t)canvas->rows * (size_t)canvas->cols;
    canvas->cells = xrealloc(canvas->cells, (count + 1) * sizeof *canvas->cells);
    for (size_t i = 0; i < count; i++)
        canvas->cells[i] = (struct cell){.code = ' '};
}

void canvas_fini(struct canvas *canvas)
{
    free(canvas->cells);
    *canvas = (struct canvas){0};
}

static struct cell *cell_at(const struct canvas *canvas, int row, int col)
{
    if (row < 0 || col < 0 || row >= canvas->rows || col >= canvas->cols)
        return NULL;
    return &canvas->cells[(size_t)row * (size_t)canvas->cols + (size_t)col];
}

const struct cell *canvas_cell(const struct canvas *canvas, int row, int col)
{
    return cell_at(canvas, row, col);
}

// --- text into characters ---

struct letter { // a character with its marks
    uint32_t code;
    uint32_t marks[CELL_MARKS];
    int width; // 1 or 2
};

// The text is valid UTF-8, because it has been through escape_text.
static uint32_t decode(const char **text)
{
    unsigned length;
    uint32_t code = escape_decode(*text, &length);
    *text += length;
    return code;
}

// Reads the next character with the combining characters after it, and returns false at the end.
// A combining character without a base is put on a blank; a character that the locale cannot
// print becomes '?'.
static bool next_letter(const char **text, bool utf8, struct letter *letter)
{
    if (!**text)
        return false;
    *letter = (struct letter){.code = decode(text), .width = 1};
    int width = letter->code < 0x7f ? 1 : utf8 ? wcwidth((wchar_t)letter->code) : -1;
    if (width < 0)
        letter->code = '?';
    else if (width == 0)
        *letter = (struct letter){.code = ' ', .marks = {letter->code}, .width = 1};
    else
        letter->width = width;
    size_t marks = width == 0;
    for (const char *at = *text; utf8 && (*at & 0x80); *text = at) {
        uint32_t code = decode(&at);
        if (wcwidth((wchar_t)code) != 0)
            break;
        if (marks < CELL_MARKS)
            letter->marks[marks++] = code;
    }
    return true;
}

static int width_of(const char *escaped, bool utf8)
{
    int width = 0;
    struct letter letter;
    while (next_letter(&escaped, utf8, &letter))
        width += letter.width;
    return width;
}

int canvas_width(const struct canvas *canvas, const char *text)
{
    AUTO_FREE char *escaped = escape_text_dup(text);
    return width_of(escaped, canvas->utf8);
}

// --- drawing ---

// A wide character of which one half is overwritten becomes a blank.
static void break_wide(struct canvas *canvas, int row, int col)
{
    struct cell *cell = cell_at(canvas, row, col);
    struct cell *before = cell_at(canvas, row, col - 1), *after = cell_at(canvas, row, col + 1);
    if (cell && !cell->code && before)
        before->code = ' ';
    if (cell && cell->code && after && !after->code)
        after->code = ' ';
}

static void put_letter(struct canvas *canvas, int row, int col, enum role role,
                       const struct letter *letter)
{
    struct cell *cell = cell_at(canvas, row, col);
    struct cell *half = letter->width == 2 ? cell_at(canvas, row, col + 1) : NULL;
    if (!cell)
        return;
    break_wide(canvas, row, col);
    if (half)
        break_wide(canvas, row, col + 1);
    *cell = (struct cell){.code = letter->code, .role = role};
    for (size_t i = 0; i < CELL_MARKS; i++)
        cell->marks[i] = letter->marks[i];
    if (half)
        *half = (struct cell){.role = role};
    else if (letter->width == 2)
        cell->code = ' '; // its right half is beyond the edge
}

// Draws columns [skip, skip + width) of escaped text. A wide character that is cut by an end of
// that range becomes a blank.
static int put_text(struct canvas *canvas, int row, int col, int width, int skip, enum role role,
                    const char *escaped)
{
    static const struct letter blank = {.code = ' ', .width = 1};
    int at = -skip;
    struct letter letter;
    while (at < width && next_letter(&escaped, canvas->utf8, &letter)) {
        if (at >= 0 && at + letter.width <= width)
            put_letter(canvas, row, col + at, role, &letter);
        else if (letter.width == 2 && at >= -1)
            put_letter(canvas, row, col + (at < 0 ? 0 : at), role, &blank);
        at += letter.width;
    }
    return at < 0 ? 0 : at < width ? at : width;
}

int canvas_scrolled(struct canvas *canvas, int row, int col, int width, int skip, enum role role,
                    const char *text)
{
    AUTO_FREE char *escaped = escape_text_dup(text);
    return width > 0 ? put_text(canvas, row, col, width, skip, role, escaped) : 0;
}

int canvas_text(struct canvas *canvas, int row, int col, int width, enum role role,
                const char *text)
{
    return canvas_scrolled(canvas, row, col, width, 0, role, text);
}

// Draws `head` columns of the beginning, an ellipsis, and as much of the end as fits.
static int put_cut(struct canvas *canvas, int row, int col, int width, int head, enum role role,
                   const char *text)
{
    AUTO_FREE char *escaped = escape_text_dup(text);
    int whole = width_of(escaped, canvas->utf8), tail = width - head - 1;
    if (width <= 0)
        return 0;
    if (whole <= width)
        return put_text(canvas, row, col, width, 0, role, escaped);
    put_text(canvas, row, col, head, 0, role, escaped);
    canvas_glyph(canvas, row, col + head, role, GLYPH_ELLIPSIS);
    if (tail > 0)
        put_text(canvas, row, col + head + 1, tail, whole - tail, role, escaped);
    return width;
}

int canvas_clipped(struct canvas *canvas, int row, int col, int width, enum role role,
                   const char *text)
{
    return put_cut(canvas, row, col, width, width - 1, role, text);
}

int canvas_squeezed(struct canvas *canvas, int row, int col, int width, enum role role,
                    const char *text)
{
    return put_cut(canvas, row, col, width, width / 2, role, text);
}

void canvas_right(struct canvas *canvas, int row, int start, int end, enum role role,
                  const char *text)
{
    AUTO_FREE char *escaped = escape_text_dup(text);
    int whole = width_of(escaped, canvas->utf8), room = end - start;
    int skip = whole > room ? whole - room : 0;
    if (room > 0)
        put_text(canvas, row, end - (whole - skip), room, skip, role, escaped);
}

int canvas_glyph(struct canvas *canvas, int row, int col, enum role role, enum glyph glyph)
{
    const char *text = theme_glyph(canvas->utf8, glyph);
    return put_text(canvas, row, col, 3, 0, role, text);
}

void canvas_fill(struct canvas *canvas, int row, int col, int width, enum role role)
{
    static const struct letter blank = {.code = ' ', .width = 1};
    for (int i = 0; i < width; i++)
        put_letter(canvas, row, col + i, role, &blank);
}

void canvas_paint(struct canvas *canvas, int row, int col, int width, enum role role)
{
    for (int i = 0; i < width; i++) {
        struct cell *cell = cell_at(canvas, row, col + i);
        if (cell)
            cell->role = role;
    }
}

static void draw_edge(struct canvas *canvas, int row, int col, int cols, enum glyph left,
                      enum glyph right)
{
    canvas_glyph(canvas, row, col, ROLE_BORDER, left);
    for (int i = 1; i + 1 < cols; i++)
        canvas_glyph(canvas, row, col + i, ROLE_BORDER, GLYPH_HORIZONTAL);
    canvas_glyph(canvas, row, col + cols - 1, ROLE_BORDER, right);
}

void canvas_box(struct canvas *canvas, int row, int col, int rows, int cols, const char *title)
{
    if (rows < 2 || cols < 2)
        return;
    draw_edge(canvas, row, col, cols, GLYPH_TOP_LEFT, GLYPH_TOP_RIGHT);
    for (int i = 1; i + 1 < rows; i++) {
        canvas_fill(canvas, row + i, col, cols, ROLE_DEFAULT);
        canvas_glyph(canvas, row + i, col, ROLE_BORDER, GLYPH_VERTICAL);
        canvas_glyph(canvas, row + i, col + cols - 1, ROLE_BORDER, GLYPH_VERTICAL);
    }
    draw_edge(canvas, row + rows - 1, col, cols, GLYPH_BOTTOM_LEFT, GLYPH_BOTTOM_RIGHT);
    if (title && cols > 6) {
        int end = canvas_clipped(canvas, row, col + 3, cols - 6, ROLE_STRONG, title);
        canvas_fill(canvas, row, col + 2, 1, ROLE_BORDER);
        canvas_fill(canvas, row, col + 3 + end, 1, ROLE_BORDER);
    }
}

// --- saving ---

static void trim(struct buf *out, size_t start)
{
    while (out->length > start && out->data[out->length - 1] == ' ')
        out->length--;
    buf_putc(out, '\n');
}

void canvas_save(const struct canvas *canvas, struct buf *out)
{
    for (int row = 0; row < canvas->rows; row++) {
        size_t start = out->length;
        for (int col = 0; col < canvas->cols; col++) {
            const struct cell *cell = cell_at(canvas, row, col);
            if (cell->code)
                buf_put_utf8(out, cell->code);
            for (size_t i = 0; cell->code && i < CELL_MARKS && cell->marks[i]; i++)
                buf_put_utf8(out, cell->marks[i]);
        }
        trim(out, start);
    }
}

void canvas_save_roles(const struct canvas *canvas, struct buf *out)
{
    for (int row = 0; row < canvas->rows; row++) {
        size_t start = out->length;
        for (int col = 0; col < canvas->cols; col++)
            buf_putc(out, theme_role_letter(cell_at(canvas, row, col)->role));
        trim(out, start);
    }
}
