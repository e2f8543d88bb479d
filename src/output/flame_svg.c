// SPDX-License-Identifier: MIT
// The picture has no script: names and figures are titles, which viewers show for the cell under
// the pointer. What is narrower than a pixel or too deep is left out and counted, so the picture
// has a bound whatever the profile is.
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/figures.h"
#include "base/mem.h"
#include "output/flame_colors.h"
#include "output/flame_text.h"
#include "output/formats.h"

#define WIDTH 1200.0 // pixels
#define MARGIN 10.0
#define ROW 17
#define HEAD 62
#define FOOT 34
#define CHARACTER 6.63 // pixels of a fixed font of 11
#define ROWS_MOST 400
#define NAME_MOST 1000 // characters

struct placed { // a cell that is drawn
    uint32_t cell, row;
    double x, width; // pixels
};

struct flame_picture {
    struct flame_cells cells;
    double *totals[2];   // before (scaled to the same total) and after; one of them without a base
    double scale;        // of the base
    uint8_t *colors;     // [frame]
    uint32_t *kept;      // cells that are wide enough, by parent, the widest first
    size_t kept_count;
    size_t narrow, deep; // cells that are left out
    struct placed *list;
    size_t count, capacity;
    uint32_t rows;
    struct buf text;
};

static double before_of(const struct flame_picture *picture, uint32_t cell)
{
    return picture->cells.side_count > 1 ? picture->totals[0][cell] * picture->scale : 0;
}

static double after_of(const struct flame_picture *picture, uint32_t cell)
{
    return picture->totals[picture->cells.side_count - 1][cell];
}

// In a difference a cell is as wide as the mean of the two, so that what is gone can be seen too.
static double size_of(const struct flame_picture *picture, uint32_t cell)
{
    double after = after_of(picture, cell);
    return picture->cells.side_count > 1 ? (before_of(picture, cell) + after) / 2 : after;
}

// --- layout ---

static int compare_kept(const void *left, const void *right, void *context)
{
    const struct flame_picture *picture = context;
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    uint32_t parent = picture->cells.list[a].parent, other = picture->cells.list[b].parent;
    double size = size_of(picture, a), size_b = size_of(picture, b);
    if (parent != other)
        return parent < other ? -1 : 1;
    if (size != size_b)
        return size > size_b ? -1 : 1;
    return a < b ? -1 : a > b;
}

static void keep_wide(struct flame_picture *picture)
{
    double least = size_of(picture, FLAME_ROOT) / (WIDTH - 2 * MARGIN); // a pixel
    picture->kept = xcalloc(picture->cells.count, sizeof *picture->kept);
    for (uint32_t i = 1; i < picture->cells.count; i++) {
        double size = size_of(picture, i);
        if (size > 0 && size >= least)
            picture->kept[picture->kept_count++] = i;
        else
            picture->narrow += size > 0;
    }
    qsort_r(picture->kept, picture->kept_count, sizeof *picture->kept, compare_kept, picture);
}

static size_t first_child(const struct flame_picture *picture, uint32_t parent)
{
    size_t low = 0, high = picture->kept_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (picture->cells.list[picture->kept[middle]].parent < parent)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void place(struct flame_picture *picture, struct placed placed)
{
    ARRAY_RESERVE(picture->list, picture->count, picture->capacity);
    picture->list[picture->count++] = placed;
    picture->rows = placed.row + 1;
}

// The list is its own queue: cells come row by row.
static void lay_out(struct flame_picture *picture)
{
    double pixels = (WIDTH - 2 * MARGIN) / fmax(size_of(picture, FLAME_ROOT), 1e-9);
    place(picture, (struct placed){.cell = FLAME_ROOT, .x = MARGIN, .width = WIDTH - 2 * MARGIN});
    for (size_t i = 0; i < picture->count; i++) {
        struct placed at = picture->list[i];
        if (at.row + 1 >= ROWS_MOST)
            break;
        double x = at.x;
        for (size_t k = first_child(picture, at.cell); k < picture->kept_count; k++) {
            uint32_t child = picture->kept[k];
            if (picture->cells.list[child].parent != at.cell)
                break;
            double width = size_of(picture, child) * pixels;
            place(picture, (struct placed){child, at.row + 1, x, width});
            x += width;
        }
    }
    picture->deep = picture->kept_count + 1 - picture->count;
}

// --- drawing ---

static const char *text_of(const struct flame_picture *picture, uint32_t text)
{
    return flame_cells_text(&picture->cells, text);
}

static void put_amount(struct flame_picture *picture, double value)
{
    const struct flame_type *type = &picture->cells.types[picture->cells.shown];
    flame_text_amount(&picture->text, value, text_of(picture, type->unit));
}

static void put_share(struct flame_picture *picture, double value, double whole)
{
    buf_printf(&picture->text, " (%.2f %%)", whole > 0 ? 100 * value / whole : 0);
}

static void put_name(struct flame_picture *picture, uint32_t cell, size_t most)
{
    const struct flame_cells *cells = &picture->cells;
    if (cell == FLAME_ROOT)
        buf_puts(&picture->text, "all");
    else
        flame_text_put(&picture->text,
                       text_of(picture, cells->frames[cells->list[cell].frame].name), most);
}

static void put_place(struct flame_picture *picture, uint32_t cell)
{
    const struct graph_cell *at = &picture->cells.list[cell];
    const struct flame_frame *frame = &picture->cells.frames[at->frame];
    if (cell != FLAME_ROOT && frame->module) {
        buf_puts(&picture->text, "\n");
        flame_text_put(&picture->text, text_of(picture, frame->module), NAME_MOST);
    }
    if (cell == FLAME_ROOT || !frame->file)
        return;
    buf_puts(&picture->text, "\n");
    flame_text_put(&picture->text, text_of(picture, frame->file), NAME_MOST);
    if (at->line > 0)
        buf_printf(&picture->text, ":%lld", (long long)at->line);
}

static void put_change(struct flame_picture *picture, double before, double after)
{
    enum flame_step step = flame_step_of(before, after);
    if (step == FLAME_GONE || step == FLAME_NEW)
        buf_puts(&picture->text, flame_step_names[step]);
    else
        buf_printf(&picture->text, "%+.1f %%", before > 0 ? 100 * (after / before - 1) : 0);
}

static void put_tip(struct flame_picture *picture, uint32_t cell)
{
    double after = after_of(picture, cell), before = before_of(picture, cell);
    buf_puts(&picture->text, "<title>");
    put_name(picture, cell, NAME_MOST);
    buf_puts(&picture->text, "\n");
    if (picture->cells.side_count > 1) {
        buf_puts(&picture->text, "before ");
        put_amount(picture, before / picture->scale); // as measured
        put_share(picture, before, before_of(picture, FLAME_ROOT));
        buf_puts(&picture->text, ", after ");
    }
    put_amount(picture, after);
    put_share(picture, after, after_of(picture, FLAME_ROOT));
    if (picture->cells.side_count > 1) {
        buf_puts(&picture->text, ": ");
        put_change(picture, before, after);
    }
    put_place(picture, cell);
    buf_puts(&picture->text, "</title>");
}

static void put_cell(struct flame_picture *picture, const struct placed *at)
{
    bool both = picture->cells.side_count > 1;
    double before = before_of(picture, at->cell), after = after_of(picture, at->cell);
    unsigned color = both ? flame_step_of(before, after)
                     : at->cell ? picture->colors[picture->cells.list[at->cell].frame]
                                : FLAME_HUES;
    unsigned y = HEAD + at->row * ROW;
    buf_puts(&picture->text, "<g>");
    put_tip(picture, at->cell);
    buf_printf(&picture->text, "<rect class=\"%c%u\" x=\"%.1f\" y=\"%u\" width=\"%.1f\" "
               "height=\"%d\" rx=\"1.5\"/>", both ? 'd' : 'm', color, at->x, y,
               fmax(at->width - 0.6, 0.4), ROW - 1);
    if (at->width >= 3 * CHARACTER + 6) {
        buf_printf(&picture->text, "<text x=\"%.1f\" y=\"%u\">", at->x + 3, y + 12);
        size_t room = (size_t)((at->width - 6) / CHARACTER), own = picture->text.length;
        if (both && room > 12 && flame_step_of(before, after) != FLAME_EQUAL) {
            put_change(picture, before, after);
            buf_puts(&picture->text, "  ");
        }
        size_t used = picture->text.length - own;
        put_name(picture, at->cell, room > used + 1 ? room - used - 1 : 1);
        buf_puts(&picture->text, "</text>");
    }
    buf_puts(&picture->text, "</g>\n");
}

static const char *const hues[2][FLAME_HUES + 1] = { // light, dark
    {"#f8c5a2", "#b3dfb3", "#b0d4ff", "#ffbebd", "#95e1e0", "#e0c4f6", "#e0d199", "#9edbf9",
     "#f3bee1", "#9fe1c9", "#cbcbff", "#cad9a2", "#dad9d5"},
    {"#6b462c", "#385939", "#375173", "#6f4141", "#175b5b", "#5b466b", "#5b4f22", "#24566d",
     "#68415b", "#245b4a", "#4c4b72", "#4b552a", "#494844"},
};
static const char *const steps[2][FLAME_STEPS] = {
    {"#5894e0", "#88b4ed", "#b9d3f5", "#e2e1de", "#fac6c1", "#f39d95", "#ea726b"},
    {"#2e69b2", "#305686", "#334660", "#3e3d3b", "#643a37", "#843c38", "#a93c39"},
};

static void put_style(struct buf *out)
{
    static const char *const grounds[2] = {"#fbfaf8", "#1b1a18"}, *const inks[2] =
        {"#1c1b19", "#f4f2ec"};
    buf_puts(out, "<style>text{font:11px ui-monospace,Menlo,Consolas,monospace}"
                  ".h{font-size:15px;font-weight:600}\n");
    for (size_t dark = 0; dark < 2; dark++) {
        buf_puts(out, dark ? "@media(prefers-color-scheme:dark){\n" : "");
        buf_printf(out, ".g{fill:%s}text{fill:%s}\n", grounds[dark], inks[dark]);
        for (size_t i = 0; i <= FLAME_HUES; i++)
            buf_printf(out, ".m%zu{fill:%s}", i, hues[dark][i]);
        for (size_t i = 0; i < FLAME_STEPS; i++)
            buf_printf(out, ".d%zu{fill:%s}", i, steps[dark][i]);
        buf_puts(out, dark ? "}\n" : "\n");
    }
    buf_puts(out, "</style>\n");
}

static void put_head(struct flame_picture *picture)
{
    const struct flame_cells *cells = &picture->cells;
    unsigned height = HEAD + picture->rows * ROW + FOOT;
    buf_printf(&picture->text, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %u\" width=\"%.0f\" "
               "height=\"%u\">\n", WIDTH, height, WIDTH, height);
    put_style(&picture->text);
    buf_puts(&picture->text, "<rect class=\"g\" width=\"100%\" height=\"100%\"/>\n"
                             "<text class=\"h\" x=\"10\" y=\"24\">");
    flame_text_put(&picture->text, cells->request->title, 120);
    buf_puts(&picture->text, "</text>\n<text x=\"10\" y=\"44\">");
    flame_text_put(&picture->text, text_of(picture, cells->types[cells->shown].name), 60);
    buf_puts(&picture->text, ": ");
    put_amount(picture, picture->totals[cells->side_count - 1][FLAME_ROOT]);
    if (cells->side_count > 1) {
        buf_puts(&picture->text, ", before: ");
        put_amount(picture, picture->totals[0][FLAME_ROOT]);
        buf_puts(&picture->text, "; shares are compared: both totals count as equal");
    }
    buf_puts(&picture->text, "</text>\n");
}

static void put_foot(struct flame_picture *picture)
{
    unsigned y = HEAD + picture->rows * ROW + 20;
    double x = MARGIN;
    for (size_t i = 0; picture->cells.side_count > 1 && i < FLAME_STEPS; i++) {
        buf_printf(&picture->text, "<rect class=\"d%zu\" x=\"%.0f\" y=\"%u\" width=\"12\" "
                   "height=\"12\"/><text x=\"%.0f\" y=\"%u\">%s</text>\n", i, x, y - 10, x + 16, y,
                   flame_step_names[i]);
        x += 30 + CHARACTER * (double)strlen(flame_step_names[i]);
    }
    if (!picture->narrow && !picture->deep)
        return;
    buf_printf(&picture->text, "<text x=\"%.0f\" y=\"%u\" text-anchor=\"end\">left out: ",
               WIDTH - MARGIN, HEAD - 18u);
    buf_printf(&picture->text, "%zu cells below a pixel, %zu too deep</text>\n", picture->narrow,
               picture->deep);
}

static enum rc draw(struct flame_picture *picture, FILE *out, struct err *err)
{
    enum rc rc = RC_OK;
    put_head(picture);
    for (size_t i = 0; i < picture->count && rc == RC_OK; i++) {
        put_cell(picture, &picture->list[i]);
        rc = output_some(out, &picture->text, err);
    }
    put_foot(picture);
    buf_puts(&picture->text, "</svg>\n");
    return rc == RC_OK ? output_bytes(out, picture->text.data, picture->text.length, err) : rc;
}

static void fini(struct flame_picture *picture)
{
    flame_cells_fini(&picture->cells);
    for (size_t i = 0; i < ARRAY_LENGTH(picture->totals); i++)
        free(picture->totals[i]);
    free(picture->colors);
    free(picture->kept);
    free(picture->list);
    buf_fini(&picture->text);
}

enum rc flame_svg_write(const struct flame_request *request, FILE *out, struct err *err)
{
    struct flame_picture picture = {.scale = 1};
    enum rc rc = flame_cells_init(&picture.cells, request, err);
    if (rc != RC_OK)
        return rc;
    for (size_t i = 0; i < picture.cells.side_count; i++)
        picture.totals[i] = flame_cells_totals(&picture.cells, i);
    if (request->base && picture.totals[0][FLAME_ROOT] > 0 && picture.totals[1][FLAME_ROOT] > 0)
        picture.scale = picture.totals[1][FLAME_ROOT] / picture.totals[0][FLAME_ROOT];
    picture.colors = flame_colors(&picture.cells);
    keep_wide(&picture);
    lay_out(&picture);
    rc = draw(&picture, out, err);
    fini(&picture);
    return rc;
}
