// SPDX-License-Identifier: MIT
// Rows that have not changed since any of the times are left out.
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/figures.h"
#include "base/json.h"
#include "base/mem.h"
#include "heap/heap_print.h"

#define RATE 24 // bytes of a text

static const struct { // what is told of each time that there is
    enum heap_time time;
    const char *heading, *key;
} told[] = {
    {HEAP_BEFORE, "GROWN", "grown"},
    {HEAP_FIRST, "FIRST", "grown_since_first"},
};

static size_t times(const struct heap_growth *growth)
{
    return growth->first ? 2 : 1;
}

static enum heap_time sorted_by(const struct heap_growth *growth)
{
    return growth->first ? HEAP_FIRST : HEAP_BEFORE;
}

static bool has_changed(const struct heap_growth *growth, const struct heap_row *row)
{
    bool changed = false;
    for (size_t i = 0; i < times(growth); i++)
        changed |= heap_grown_bytes(row->at, told[i].time) ||
                   heap_grown_blocks(row->at, told[i].time);
    return changed;
}

static double per_second(int64_t amount, int64_t ns)
{
    return ns > 0 ? (double)amount / ((double)ns / NS_PER_S) : 0;
}

static const char *signed_bytes(double bytes, char text[RATE])
{
    char size[FIGURES_MOST];
    double size_of = bytes < 0 ? -bytes : bytes;
    snprintf(text, RATE, "%s%s", bytes > 0 ? "+" : bytes < 0 ? "-" : "",
             figures_bytes(size_of < 0x1p63 ? (uint64_t)size_of : INT64_MAX, 'B', size));
    return text;
}

// --- text ---

static void put_headings(struct buf *out, const struct heap_growth *growth,
                         const struct heap_columns *columns)
{
    for (size_t i = 0; i < times(growth); i++) {
        buf_printf(out, "%8s", told[i].heading);
        if (growth->since[told[i].time] > 0)
            buf_printf(out, " %8s", "/S");
    }
    buf_printf(out, " %9s %7s", "BLOCKS", "NOW");
    heap_put_headings(out, columns);
}

// Blocks are those of the time that rows are sorted by.
static void put_amounts(struct buf *out, const struct heap_growth *growth,
                        const struct heap_amount *at)
{
    char text[RATE];
    for (size_t i = 0; i < times(growth); i++) {
        int64_t since = growth->since[told[i].time];
        int64_t bytes = heap_grown_bytes(at, told[i].time);
        buf_printf(out, "%8s", signed_bytes((double)bytes, text));
        if (since > 0)
            buf_printf(out, " %8s", signed_bytes(per_second(bytes, since), text));
    }
    char now[FIGURES_MOST];
    buf_printf(out, " %+9" PRId64 " %7s", heap_grown_blocks(at, sorted_by(growth)),
               figures_bytes(at[HEAP_NOW].bytes, 'B', now));
}

static void put_title(struct buf *out, const struct heap_growth *growth)
{
    char text[FIGURES_MOST];
    buf_puts(out, growth->title);
    if (growth->time)
        buf_printf(out, ", %s", figures_date(growth->time, text));
    if (growth->since[HEAP_BEFORE] > 0)
        buf_printf(out, ": grown in %s", figures_duration(growth->since[HEAP_BEFORE], text));
    else
        buf_puts(out, ": grown in a time that is not known");
    if (growth->first)
        buf_printf(out, ", FIRST is %s ago", figures_duration(growth->since[HEAP_FIRST], text));
    buf_puts(out, growth->incomplete ? "\nINCOMPLETE: one of the two was ended before all blocks "
                                       "were counted\n"
                                     : "\n");
}

static void add_to(struct heap_amount *to, const struct heap_row *row)
{
    for (size_t i = 0; i < HEAP_TIMES; i++) {
        to[i].blocks += row->at[i].blocks;
        to[i].bytes += row->at[i].bytes;
    }
}

void heap_growth_text(struct buf *out, const struct heap_growth *growth)
{
    struct heap_table *table = growth->table;
    struct heap_amount rest[HEAP_TIMES] = {{0}};
    size_t shown = 0, more = 0;
    heap_table_sort_grown(table, sorted_by(growth));
    struct heap_columns columns = heap_columns_of(table, growth->top);
    put_title(out, growth);
    put_headings(out, growth, &columns);
    for (size_t i = 0; i < table->count; i++) {
        const struct heap_row *row = &table->rows[i];
        if (has_changed(growth, row) && shown < growth->top) {
            put_amounts(out, growth, row->at);
            heap_put_words(out, &columns, table, row);
            shown++;
            continue;
        }
        add_to(rest, row);
        more++;
    }
    if (more) {
        put_amounts(out, growth, rest);
        buf_printf(out, "  %zu more\n", more);
    }
    put_amounts(out, growth, table->total);
    buf_puts(out, "  total\n");
}

// --- JSON ---

static void put_values(struct json *json, const struct heap_growth *growth,
                       const struct heap_amount *at)
{
    json_count(json, "blocks", at[HEAP_NOW].blocks);
    json_count(json, "bytes", at[HEAP_NOW].bytes);
    for (size_t i = 0; i < times(growth); i++) {
        int64_t bytes = heap_grown_bytes(at, told[i].time);
        int64_t since = growth->since[told[i].time];
        json_begin(json, told[i].key, '{');
        json_number(json, "blocks", heap_grown_blocks(at, told[i].time));
        json_number(json, "bytes", bytes);
        if (since > 0)
            json_decimal(json, "bytes_per_second", per_second(bytes, since), 1);
        else
            json_null(json, "bytes_per_second");
        json_end(json, '{');
    }
}

void heap_growth_json(struct buf *out, const struct heap_growth *growth)
{
    struct heap_table *table = growth->table;
    struct json json = {.out = out};
    heap_table_sort_grown(table, sorted_by(growth));
    json_begin(&json, NULL, '{');
    json_number(&json, "schema", 1);
    json_number(&json, "time_wall_ns", growth->time);
    json_number(&json, "since_before_ns", growth->since[HEAP_BEFORE]);
    if (growth->first)
        json_number(&json, "since_first_ns", growth->since[HEAP_FIRST]);
    json_bool(&json, "complete", !growth->incomplete);
    json_begin(&json, "total", '{');
    put_values(&json, growth, table->total);
    json_end(&json, '{');
    json_begin(&json, "rows", '[');
    for (size_t i = 0, shown = 0; i < table->count && shown < growth->top; i++) {
        if (!has_changed(growth, &table->rows[i]))
            continue;
        json_begin(&json, NULL, '{');
        heap_json_words(&json, table, &table->rows[i]);
        put_values(&json, growth, table->rows[i].at);
        json_end(&json, '{');
        shown++;
    }
    json_end(&json, '[');
    json_end(&json, '{');
    buf_putc(out, '\n');
}
