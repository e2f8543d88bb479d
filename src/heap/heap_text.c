// SPDX-License-Identifier: MIT
#include "heap/heap_print.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/figures.h"
#include "base/mem.h"
#include "heap/heap_mappings.h"

#define FIRST_BYTES 32

// --- the head ---

static const struct {
    enum figure figure;
    const char *text;
} told[] = { // of an allocator, in this order
    {FIGURE_IN_USE, "in use"},
    {FIGURE_FREE, "free"},
    {FIGURE_CACHED, "of that in caches"},
    {FIGURE_MAPPED, "in mappings of their own"},
    {FIGURE_METADATA, "its books"},
    {FIGURE_SYSTEM, "from the kernel"},
    {FIGURE_TRIMMABLE, "could go back to it"},
    {FIGURE_RELEASED, "went back to it"},
};

static void put_figures(struct buf *out, const struct heap_figures *figures)
{
    char text[FIGURES_MOST];
    const char *between = ": ";
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++) {
        enum figure figure = told[i].figure;
        if (!figures->known[figure])
            continue;
        buf_printf(out, "%s%s %s", between, figures_bytes(figures->value[figure], 'B', text),
                   told[i].text);
        between = ", ";
        uint64_t free = figures->value[FIGURE_FREE], in_use = figures->value[FIGURE_IN_USE];
        if (figure == FIGURE_FREE && figures->known[FIGURE_IN_USE] && free + in_use > 0)
            buf_printf(out, " (%.1f%% of both)", 100 * (double)free / (double)(free + in_use));
    }
    if (figures->known[FIGURE_ARENAS])
        buf_printf(out, "%s%" PRIu64 " arena%s", between, figures->value[FIGURE_ARENAS],
                   figures->value[FIGURE_ARENAS] == 1 ? "" : "s");
}

static void put_allocators(struct buf *out, const struct heap_census *census)
{
    for (size_t i = 0; i < census->allocator_count; i++) {
        const struct heap_census_allocator *allocator = &census->allocators[i];
        escape_text(out, allocator->name);
        buf_puts(out, *allocator->version ? " " : "");
        escape_text(out, allocator->version);
        put_figures(out, &allocator->figures);
        const char *why = allocator->figures.why[FIGURE_IN_USE];
        if (!allocator->walked)
            buf_printf(out, "; %s", why ? why : "which blocks it has given out cannot be told");
        buf_putc(out, '\n');
    }
}

// Appends the lines of a text, each behind a word.
static void put_lines(struct buf *out, const char *text, const char *before)
{
    while (*text) {
        size_t length = strcspn(text, "\n");
        AUTO_FREE char *line = xstrndup(text, length);
        buf_puts(out, before);
        escape_text(out, line);
        buf_putc(out, '\n');
        text += length + (text[length] == '\n');
    }
}

static void put_looked_for(struct buf *out)
{
    for (size_t i = 0; allocators[i]; i++)
        buf_printf(out, "%s%s", i ? ", " : "looked for: ", allocators[i]->name);
    buf_putc(out, '\n');
}

static void put_reading(struct buf *out, const struct heap_census *census)
{
    const struct heap_view_counts *counts = &census->counts;
    char text[FIGURES_MOST], took[FIGURES_MOST];
    const struct {
        uint64_t bytes;
        const char *text;
    } left[] = {{counts->absent, "is not in memory"},
                {counts->swapped, "is swapped out (--swapped reads it)"},
                {counts->failed, "went away meanwhile"}};
    const char *between = "; left alone: ";
    buf_printf(out, "read %s in %s, nothing was stopped",
               figures_bytes(counts->read, 'B', text), figures_duration(census->duration, took));
    for (size_t i = 0; i < ARRAY_LENGTH(left); i++) {
        if (!left[i].bytes)
            continue;
        buf_printf(out, "%s%s that %s", between, figures_bytes(left[i].bytes, 'B', text),
                   left[i].text);
        between = ", ";
    }
    buf_putc(out, '\n');
}

static struct walk_quality quality_of(const struct heap_census *census)
{
    struct walk_quality all = {0};
    for (size_t i = 0; i < census->allocator_count; i++) {
        all.walked += census->allocators[i].quality.walked;
        all.skipped += census->allocators[i].quality.skipped;
        all.resyncs += census->allocators[i].quality.resyncs;
    }
    return all;
}

static void put_quality(struct buf *out, const struct heap_printing *printing)
{
    struct walk_quality all = quality_of(printing->census);
    char text[FIGURES_MOST];
    buf_printf(out, "walked %s, of which %.2f%% could not be told",
               figures_bytes(all.walked, 'B', text),
               all.walked ? 100 * (double)all.skipped / (double)all.walked : 0);
    if (all.resyncs)
        buf_printf(out, "; picked up again in %" PRIu64 " place%s", all.resyncs,
                   all.resyncs == 1 ? "" : "s");
    if (printing->before) {
        struct heap_moves moves = heap_moves_between(printing->before, printing->census);
        buf_printf(out, "; walked twice: counts differ by %" PRIu64 " of %" PRIu64 " blocks "
                        "(%.2f%%)", moves.moved_blocks, moves.blocks,
                   moves.blocks ? 100 * (double)moves.moved_blocks / (double)moves.blocks : 0);
    }
    if (printing->census->folded)
        buf_printf(out, "; of %" PRIu64 " blocks only the size is told: there are too many kinds",
                   printing->census->folded);
    buf_puts(out, printing->census->complete
                      ? "\n"
                      : "\nINCOMPLETE: it was ended before all blocks were counted\n");
}

static void put_head(struct buf *out, const struct heap_printing *printing)
{
    const struct heap_census *census = printing->census;
    uint64_t blocks = 0, bytes = 0, unknown = 0;
    for (size_t i = 0; i < census->count; i++) {
        blocks += census->rows[i].count;
        bytes += census->rows[i].bytes;
        unknown += census->rows[i].kind ? 0 : census->rows[i].bytes;
    }
    char text[FIGURES_MOST];
    buf_printf(out, "heap of %d (", (int)census->pid);
    escape_text(out, census->comm);
    if (census->allocator_count)
        buf_printf(out, "): %s in %" PRIu64 " block%s; nothing says what %.1f%% of it is\n",
                   figures_bytes(bytes, 'B', text), blocks, blocks == 1 ? "" : "s",
                   bytes ? 100 * (double)unknown / (double)bytes : 0);
    else
        buf_puts(out, "): no allocator was found that ptprof knows\n");
    put_allocators(out, census);
    if (!census->allocator_count)
        put_looked_for(out);
    put_lines(out, census->why, "not found: ");
    put_reading(out, census);
    if (census->allocator_count)
        put_quality(out, printing);
}

// --- rows ---

// What can be long comes last.
static const struct {
    enum heap_by by;
    const char *text;
} headings[] = {
    {HEAP_BY_ALLOCATOR, "ALLOCATOR"}, {HEAP_BY_ARENA, "ARENA"}, {HEAP_BY_KIND, "KIND"},
    {HEAP_BY_SIZE, "SIZE"},           {HEAP_BY_WHAT, "WHAT"},
};

static bool has_one_allocator(const struct heap_table *table)
{
    for (size_t i = 1; i < table->count; i++)
        if (table->rows[i].texts[HEAP_BY_ALLOCATOR] != table->rows[0].texts[HEAP_BY_ALLOCATOR])
            return false;
    return true;
}

static int widest(const struct heap_table *table, size_t rows, enum heap_by by, int width)
{
    for (size_t i = 0; i < rows && i < table->count; i++) {
        AUTO_FREE char *shown = escape_text_dup(heap_table_text(table, &table->rows[i], by));
        int own = escape_columns(shown);
        width = own > width ? own : width;
    }
    return width;
}

struct heap_columns heap_columns_of(const struct heap_table *table, size_t rows)
{
    struct heap_columns columns = {{0}};
    for (size_t i = 0; i < ARRAY_LENGTH(headings); i++)
        if (table->by & HEAP_BIT(headings[i].by))
            columns.width[headings[i].by] =
                headings[i].by == HEAP_BY_WHAT
                    ? 1
                    : widest(table, rows, headings[i].by, escape_columns(headings[i].text));
    if (!table->asked && has_one_allocator(table))
        columns.width[HEAP_BY_ALLOCATOR] = 0;
    return columns;
}

static void put_cell(struct buf *out, const char *text, int width)
{
    int missing = width - escape_columns(text);
    buf_printf(out, "  %s%*s", text, missing > 0 ? missing : 0, "");
}

// Cuts the blanks at the end of a line.
static void end_line(struct buf *out)
{
    while (out->length && out->data[out->length - 1] == ' ')
        out->data[--out->length] = '\0';
    buf_putc(out, '\n');
}

void heap_put_headings(struct buf *out, const struct heap_columns *columns)
{
    for (size_t i = 0; i < ARRAY_LENGTH(headings); i++)
        if (columns->width[headings[i].by])
            put_cell(out, headings[i].text, columns->width[headings[i].by]);
    end_line(out);
}

void heap_put_words(struct buf *out, const struct heap_columns *columns,
                    const struct heap_table *table, const struct heap_row *row)
{
    for (size_t i = 0; i < ARRAY_LENGTH(headings); i++) {
        if (!columns->width[headings[i].by])
            continue;
        AUTO_FREE char *shown = escape_text_dup(heap_table_text(table, row, headings[i].by));
        put_cell(out, shown, columns->width[headings[i].by]);
    }
    end_line(out);
}

static void put_amounts(struct buf *out, const struct heap_amount *at, uint64_t all,
                        bool twice)
{
    char bytes[FIGURES_MOST], average[FIGURES_MOST];
    const struct heap_amount *now = &at[HEAP_NOW];
    buf_printf(out, "%7s %5.1f%% %10" PRIu64 " %8s", figures_bytes(now->bytes, 'B', bytes),
               all ? 100 * (double)now->bytes / (double)all : 0, now->blocks,
               now->blocks ? figures_bytes(now->bytes / now->blocks, 'B', average) : "");
    int64_t moved = heap_grown_blocks(at, HEAP_BEFORE);
    if (twice && moved)
        buf_printf(out, " %+8" PRId64, moved);
    else if (twice)
        buf_printf(out, " %8s", "");
}

void heap_first_bytes(struct buf *out, struct heap_target *target, uint64_t address)
{
    unsigned char bytes[FIRST_BYTES];
    size_t have = FIRST_BYTES;
    while (have && !heap_view_read(&target->view, address, bytes, have))
        have /= 2; // the end of what is there may be near
    if (!have)
        return;
    buf_putc(out, '"');
    for (size_t i = 0; i < have; i++)
        buf_printf(out, bytes[i] < 0x20 || bytes[i] > 0x7e || strchr("\"\\", bytes[i]) ? "\\x%02x"
                                                                                       : "%c",
                   bytes[i]);
    buf_putc(out, '"');
}

static void put_examples(struct buf *out, const struct heap_printing *printing,
                         const struct heap_row *row)
{
    for (unsigned i = 0; i < printing->examples && row->examples[i]; i++) {
        AUTO_BUF struct buf bytes = {0};
        heap_first_bytes(&bytes, printing->target, row->examples[i]);
        buf_printf(out, "%16s0x%" PRIx64 "  %s\n", "", row->examples[i],
                   bytes.length ? bytes.data : "is no longer there");
    }
}

static void put_rest(struct buf *out, const struct heap_table *table, size_t from, bool twice)
{
    struct heap_amount rest[HEAP_TIMES] = {{0}};
    for (size_t i = from; i < table->count; i++)
        for (size_t time = 0; time < HEAP_TIMES; time++) {
            rest[time].blocks += table->rows[i].at[time].blocks;
            rest[time].bytes += table->rows[i].at[time].bytes;
        }
    put_amounts(out, rest, table->total[HEAP_NOW].bytes, twice);
    buf_printf(out, "  %zu more\n", table->count - from);
}

static void put_table(struct buf *out, const struct heap_printing *printing,
                      const struct heap_table *table)
{
    bool twice = printing->before;
    uint64_t all = table->total[HEAP_NOW].bytes;
    buf_printf(out, "\n%7s %6s %10s %8s%s", "BYTES", "SHARE", "BLOCKS", "AVERAGE",
               twice ? "    MOVED" : "");
    size_t shown = table->count < printing->top ? table->count : printing->top;
    struct heap_columns columns = heap_columns_of(table, shown);
    heap_put_headings(out, &columns);
    for (size_t i = 0; i < shown; i++) {
        put_amounts(out, table->rows[i].at, all, twice);
        heap_put_words(out, &columns, table, &table->rows[i]);
        put_examples(out, printing, &table->rows[i]);
    }
    if (shown < table->count)
        put_rest(out, table, shown, twice);
    put_amounts(out, table->total, all, twice);
    buf_puts(out, "  total\n");
}

void heap_text(struct buf *out, const struct heap_printing *printing)
{
    struct heap_table table;
    put_head(out, printing);
    if (!printing->census->allocator_count) {
        heap_mappings_text(out, printing->target, printing->top);
        return;
    }
    heap_table_init(&table, printing->by);
    heap_table_add_census(&table, printing->census, HEAP_NOW);
    if (printing->before)
        heap_table_add_census(&table, printing->before, HEAP_BEFORE);
    heap_table_sort(&table);
    put_table(out, printing, &table);
    heap_table_fini(&table);
}
