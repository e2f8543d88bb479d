// SPDX-License-Identifier: MIT
#include "output/dot.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"
#include "base/units.h"
#include "output/dot_pen.h"
#include "symbol/short_name.h"

#define FONT "Helvetica,Arial,sans-serif"
#define NAME_MAX_SHOWN 120 // bytes of a name in a box
#define TEXT_MAX_SHOWN 1000 // bytes of any other text

// --- texts ---

// Appends a text that is safe for a terminal as a part of a quoted string. dot would take what is
// behind "\" and "&" as commands of its own and as names of characters, and a picture in SVG would
// then hold what is no XML.
static void put_quoted(struct buf *out, const char *text, size_t length, const char *backslash)
{
    for (size_t i = 0; i < length; i++) {
        const char *instead = text[i] == '&'    ? "&amp;"
                              : text[i] == '"'  ? "\\\""
                              : text[i] == '\\' ? backslash
                                               : NULL;
        if (instead)
            buf_puts(out, instead);
        else
            buf_putc(out, text[i]);
    }
}

// Returns at most `most` bytes of raw text: whole characters, safe. The caller frees it.
static char *safe_text(const char *text, size_t most)
{
    AUTO_FREE char *escaped = escape_text_dup(text);
    size_t length = strlen(escaped);
    if (length <= most)
        return steal_ptr(&escaped);
    while (most && (escaped[most] & 0xc0) == 0x80)
        most--;
    return xasprintf("%.*s...", (int)most, escaped);
}

void dot_put_text(struct buf *out, const char *text, const char *backslash)
{
    AUTO_FREE char *safe = safe_text(text, TEXT_MAX_SHOWN);
    put_quoted(out, safe, strlen(safe), backslash);
}

// --- what things look like ---

static double share(int64_t value, int64_t total)
{
    return total ? fabs((double)value) / fabs((double)total) : 0;
}

// Returns a colour between grey (nothing) and red (all of it), or green of what shrank, as pprof's
// dotColor does: a light one for an area, a dark one for a line.
static uint32_t heat(double score, bool area)
{
    double saturation = area ? 0.1 : 1.0, value = area ? 0.93 : 0.7;
    score = fmax(-1.0, fmin(1.0, score));
    if (fabs(score) < 0.2)
        saturation *= fabs(score) / 0.2; // grey rather than yellow
    double strength = pow(fabs(score), 0.3), faded = value * (1 - saturation * strength);
    double red = score < 0 ? faded : value, green = score < 0 ? value : faded;
    double blue = value * (1 - saturation);
    return (uint32_t)(red * 255) << 16 | (uint32_t)(green * 255) << 8 | (uint32_t)(blue * 255);
}

static int letter_size(int64_t self, double most)
{
    return most > 0 && self ? 8 + (int)ceil(16 * sqrt(fabs((double)self) / most)) : 8;
}

// --- boxes ---

// Says whether the "." at `at` parts a package from a function.
static bool is_parting(const char *name, const char *at)
{
    return at > name && at[1] && at[1] != '.' && at[-1] != '.' && (at[1] < '0' || at[1] > '9');
}

// A name has a line for each of its parts: "std::vector<..>::push_back", "main.(*T).run".
static void put_parts(struct buf *out, const char *name)
{
    const char *from = name;
    for (const char *at = name; *at; at++) {
        size_t length = strncmp(at, "::", 2) == 0 ? 2 : *at == '.' && is_parting(name, at) ? 1 : 0;
        if (!length)
            continue;
        put_quoted(out, from, (size_t)(at - from), DOT_IN_LABEL);
        buf_puts(out, "\\n");
        from = at + length;
        at = from - 1;
    }
    put_quoted(out, from, strlen(from), DOT_IN_LABEL);
    buf_puts(out, "\\n");
}

// The directories of a Go package are left out: runtime/pprof.Do.
static const char *without_directories(const char *name)
{
    const char *slash = NULL;
    for (const char *at = name; isalnum((unsigned char)*at) || (*at && strchr("_-./", *at)); at++)
        slash = *at == '/' ? at : slash;
    return slash && strchr(slash + 1, '.') ? slash + 1 : name;
}

static void put_name(struct buf *out, const char *name)
{
    AUTO_BUF struct buf bare = {0};
    if (*name == '[' || strstr(name, "+0x")) { // a module, or a place in one
        AUTO_FREE char *safe = safe_text(name, NAME_MAX_SHOWN);
        put_quoted(out, safe, strlen(safe), DOT_IN_LABEL);
        buf_puts(out, "\\n");
        return;
    }
    short_name_bare(without_directories(name), &bare);
    AUTO_FREE char *safe = safe_text(bare.data, NAME_MAX_SHOWN);
    put_parts(out, safe);
}

static const struct call_function *function_of(const struct pen *pen, size_t number)
{
    return &pen->drawing->graph->functions[number];
}

void dot_put_value(struct pen *pen, int64_t value)
{
    units_label(pen->out, value, pen->drawing->unit, pen->unit);
}

static void put_share(struct pen *pen, const char *before, int64_t value)
{
    char percent[UNITS_PERCENT];
    units_percent(value, pen->drawing->graph->all, percent);
    buf_puts(pen->out, before);
    dot_put_value(pen, value);
    buf_printf(pen->out, " (%s)", percent + strspn(percent, " "));
}

static void put_full_name(struct pen *pen, uint32_t function)
{
    AUTO_BUF struct buf name = {0};
    call_graph_name(pen->drawing->graph, function, &name);
    dot_put_text(pen->out, name.data, DOT_IN_TIP);
}

static double score_of(const struct pen *pen, int64_t value)
{
    return share(value, pen->drawing->graph->all) * (value < 0 ? -1 : 1);
}

// "12ms (4%)", "of 20ms (7%)": what it did, and what it is of.
static void put_cost(struct pen *pen, int64_t self, int64_t total)
{
    if (self)
        put_share(pen, "", self);
    else
        buf_puts(pen->out, "0");
    if (self != total)
        put_share(pen, self ? "\\nof " : " of ", total);
}

static void put_function(struct pen *pen, uint32_t number)
{
    const struct call_function *function = function_of(pen, number);
    double score = score_of(pen, function->total);
    uint32_t place = pen->numbers[number];
    AUTO_BUF struct buf name = {0};
    call_graph_name(pen->drawing->graph, number, &name);
    buf_printf(pen->out, "N%u [label=\"", place);
    put_name(pen->out, name.data);
    put_cost(pen, function->self, function->total);
    buf_printf(pen->out, "\" id=\"node%u\" fontsize=%d shape=box tooltip=\"", place,
               letter_size(function->self, pen->most_self));
    put_full_name(pen, number);
    buf_puts(pen->out, " (");
    dot_put_value(pen, function->total);
    buf_printf(pen->out, ")\" color=\"#%06x\" fillcolor=\"#%06x\"]\n", heat(score, false),
               pen->tints ? pen->tints[number] : heat(score, true));
}

// --- edges ---

// Returns how many parts of `parts` of the whole a value is, at most all of them.
static int part(int64_t value, int64_t total, int parts)
{
    double exact = share(value, total) * parts;
    return exact < parts ? (int)exact : parts;
}

static void put_tips(struct pen *pen, const struct call_edge *edge)
{
    for (int i = 0; i < 2; i++) {
        buf_puts(pen->out, i ? " labeltooltip=\"" : " tooltip=\"");
        put_full_name(pen, edge->caller);
        buf_puts(pen->out, edge->residual ? " ... " : " -> ");
        put_full_name(pen, edge->callee);
        buf_puts(pen->out, " (");
        dot_put_value(pen, edge->weight);
        buf_puts(pen->out, ")\"");
    }
}

static void put_edge(struct pen *pen, const struct call_edge *edge)
{
    struct buf *out = pen->out;
    int64_t all = pen->drawing->graph->all;
    buf_printf(out, "N%u -> N%u [label=\" ", pen->numbers[edge->caller],
               pen->numbers[edge->callee]);
    dot_put_value(pen, edge->weight);
    buf_puts(out, edge->inlined ? "\\n (inline)\"" : "\"");
    buf_printf(out, " weight=%d penwidth=%d color=\"#%06x\"", 1 + part(edge->weight, all, 100),
               1 + part(edge->weight, all, 5), heat(score_of(pen, edge->weight), false));
    put_tips(pen, edge);
    buf_puts(out, edge->residual ? " style=\"dashed\"" : "");
    buf_puts(out, pen->boxes[edge->caller] ? " minlen=2]\n" : "]\n");
}

// --- the whole ---

static void put_legend(struct pen *pen)
{
    AUTO_FREE char *text = xstrdup(pen->drawing->legend);
    char *rest = text, *line;
    buf_puts(pen->out, "subgraph cluster_L { legend [shape=box fontsize=16 label=\"");
    while ((line = strsep(&rest, "\n"))) {
        dot_put_text(pen->out, line, DOT_IN_LABEL);
        buf_puts(pen->out, rest ? "\\l" : "");
    }
    buf_puts(pen->out, "\" tooltip=\" \"]\n");
    dot_put_modules(pen);
    buf_puts(pen->out, "}\n");
}

// As in pprof the unit is one for which the least value is at least 0.01.
static const char *choose_unit(const struct dot_drawing *drawing)
{
    int64_t least = 0, most = drawing->graph->all;
    for (size_t i = 0; i < drawing->picture->count; i++) {
        const struct call_function *at = &drawing->graph->functions[drawing->picture->functions[i]];
        double size = fabs((double)(at->self ? at->self : at->total));
        if (size > 0 && (!least || size < (double)least))
            least = size < 9e18 ? (int64_t)size : INT64_MAX;
    }
    return units_common(least ? least : most, most, drawing->unit);
}

static void prepare(struct pen *pen)
{
    const struct dot_drawing *drawing = pen->drawing;
    size_t count = drawing->graph->function_count + 1;
    pen->unit = choose_unit(drawing);
    pen->numbers = xcalloc(count, sizeof *pen->numbers);
    pen->calls = xcalloc(count, sizeof *pen->calls);
    pen->boxes = xcalloc(count, sizeof *pen->boxes);
    for (uint32_t i = 0; i < drawing->picture->count; i++) {
        uint32_t function = drawing->picture->functions[i];
        pen->numbers[function] = i + 1;
        pen->most_self = fmax(pen->most_self,
                                  fabs((double)function_of(pen, function)->self));
    }
    for (size_t i = 0; i < drawing->picture->edge_count; i++)
        pen->calls[drawing->graph->edges[drawing->picture->edges[i]].caller] = true;
}

void dot_write(const struct dot_drawing *drawing, struct buf *out)
{
    struct pen pen = {.drawing = drawing, .out = out};
    prepare(&pen);
    dot_choose_tints(&pen);
    buf_puts(out, "digraph \"ptprof\" {\n"
                  "fontname=\"" FONT "\"\n"
                  "node [style=filled fillcolor=\"#f8f8f8\" fontname=\"" FONT "\"]\n"
                  "edge [fontname=\"" FONT "\"]\n");
    put_legend(&pen);
    for (size_t i = 0; i < drawing->picture->count; i++) {
        put_function(&pen, drawing->picture->functions[i]);
        dot_put_tags(&pen, drawing->picture->functions[i]);
    }
    for (size_t i = 0; i < drawing->picture->edge_count; i++)
        put_edge(&pen, &drawing->graph->edges[drawing->picture->edges[i]]);
    buf_puts(out, "}\n");
    free(pen.numbers);
    free(pen.calls);
    free(pen.boxes);
    free(pen.tints);
}
