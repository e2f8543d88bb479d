// SPDX-License-Identifier: MIT
// The document begins with {"schema":1,"census": so that a reader knows what it is.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "heap/heap_mappings.h"
#include "heap/heap_print.h"

#define ADDRESS 24 // bytes of a text

static void put_census(struct json *json, const struct heap_printing *printing)
{
    const struct heap_census *census = printing->census;
    json_begin(json, "census", '{');
    json_number(json, "pid", census->pid);
    json_text(json, "comm", census->comm);
    json_number(json, "start_wall_ns", census->time);
    json_number(json, "duration_ns", census->duration);
    json_bool(json, "complete", census->complete);
    json_number(json, "walks", printing->before ? 2 : 1);
    json_count(json, "folded", census->folded);
    json_end(json, '{');
}

static void put_figures(struct json *json, const struct heap_figures *figures)
{
    for (size_t i = 0; i < FIGURE_COUNT; i++) {
        if (figures->known[i])
            json_count(json, heap_figure_rows[i].key, figures->value[i]);
        else
            json_null(json, heap_figure_rows[i].key);
    }
    json_begin(json, "unknown", '{');
    for (size_t i = 0; i < FIGURE_COUNT; i++)
        if (!figures->known[i])
            json_text(json, heap_figure_rows[i].key,
                      figures->why[i] ? figures->why[i] : "the allocator's books do not say it");
    json_end(json, '{');
}

static void put_allocator(struct json *json, const struct heap_census_allocator *allocator)
{
    json_line(json);
    json_begin(json, NULL, '{');
    json_text(json, "name", allocator->name);
    json_text(json, "version", allocator->version);
    json_bool(json, "walked", allocator->walked);
    json_count(json, "walked_bytes", allocator->quality.walked);
    json_count(json, "skipped_bytes", allocator->quality.skipped);
    json_count(json, "resyncs", allocator->quality.resyncs);
    put_figures(json, &allocator->figures);
    json_end(json, '{');
}

static void put_allocators(struct json *json, const struct heap_census *census)
{
    json_line(json);
    json_begin(json, "allocators", '[');
    for (size_t i = 0; i < census->allocator_count; i++)
        put_allocator(json, &census->allocators[i]);
    json_end(json, '[');
}

static void put_why(struct json *json, const char *why)
{
    json_line(json);
    json_begin(json, "not_found", '[');
    while (*why) {
        size_t length = strcspn(why, "\n");
        AUTO_FREE char *line = xstrndup(why, length);
        json_text(json, NULL, line);
        why += length + (why[length] == '\n');
    }
    json_end(json, '[');
}

static void put_reading(struct json *json, const struct heap_view_counts *counts)
{
    json_line(json);
    json_begin(json, "memory", '{');
    json_count(json, "read_bytes", counts->read);
    json_count(json, "absent_bytes", counts->absent);
    json_count(json, "swapped_bytes", counts->swapped);
    json_count(json, "failed_bytes", counts->failed);
    json_end(json, '{');
}

static void put_moves(struct json *json, const struct heap_printing *printing)
{
    json_line(json);
    if (!printing->before) {
        json_null(json, "moved");
        return;
    }
    struct heap_moves moves = heap_moves_between(printing->before, printing->census);
    json_begin(json, "moved", '{');
    json_count(json, "blocks", moves.moved_blocks);
    json_count(json, "of_blocks", moves.blocks);
    json_count(json, "bytes", moves.moved_bytes);
    json_count(json, "of_bytes", moves.bytes);
    json_end(json, '{');
}

// --- rows ---

void heap_json_words(struct json *json, const struct heap_table *table,
                     const struct heap_row *row)
{
    for (size_t i = 0; i < HEAP_BY_COUNT; i++)
        if (table->by & HEAP_BIT(i) && i != HEAP_BY_SIZE)
            json_text(json, heap_by_words[i], heap_table_text(table, row, i));
    if (table->by & HEAP_BIT(HEAP_BY_SIZE))
        json_count(json, heap_by_words[HEAP_BY_SIZE], row->size);
}

static void put_example(struct json *json, const struct heap_printing *printing, uint64_t address)
{
    char text[ADDRESS];
    snprintf(text, sizeof text, "0x%" PRIx64, address);
    json_begin(json, NULL, '{');
    json_text(json, "address", text);
    if (printing->examples) {
        AUTO_BUF struct buf bytes = {0};
        heap_first_bytes(&bytes, printing->target, address);
        if (bytes.length)
            json_text(json, "bytes", bytes.data);
        else
            json_null(json, "bytes");
    }
    json_end(json, '{');
}

// Addresses of what has no name are always told: somebody may look there with a debugger.
static void put_examples(struct json *json, const struct heap_printing *printing,
                         const struct heap_row *row)
{
    size_t most = printing->examples ? printing->examples : row->unknown ? HEAP_EXAMPLES : 0;
    if (!most)
        return;
    json_begin(json, "examples", '[');
    for (size_t i = 0; i < most && i < HEAP_EXAMPLES && row->examples[i]; i++)
        put_example(json, printing, row->examples[i]);
    json_end(json, '[');
}

static void put_row(struct json *json, const struct heap_printing *printing,
                    const struct heap_table *table, const struct heap_row *row)
{
    json_line(json);
    json_begin(json, NULL, '{');
    heap_json_words(json, table, row);
    json_count(json, "blocks", row->at[HEAP_NOW].blocks);
    json_count(json, "bytes", row->at[HEAP_NOW].bytes);
    if (printing->before) {
        json_number(json, "moved_blocks", heap_grown_blocks(row->at, HEAP_BEFORE));
        json_number(json, "moved_bytes", heap_grown_bytes(row->at, HEAP_BEFORE));
    }
    put_examples(json, printing, row);
    json_end(json, '{');
}

static void put_rows(struct json *json, const struct heap_printing *printing)
{
    struct heap_table table;
    heap_table_init(&table, HEAP_BY_ALL);
    heap_table_add_census(&table, printing->census, HEAP_NOW);
    if (printing->before)
        heap_table_add_census(&table, printing->before, HEAP_BEFORE);
    heap_table_sort(&table);
    json_line(json);
    json_begin(json, "total", '{');
    json_count(json, "blocks", table.total[HEAP_NOW].blocks);
    json_count(json, "bytes", table.total[HEAP_NOW].bytes);
    json_end(json, '{');
    json_line(json);
    json_begin(json, "rows", '[');
    for (size_t i = 0; i < table.count; i++)
        put_row(json, printing, &table, &table.rows[i]);
    json_end(json, '[');
    heap_table_fini(&table);
}

void heap_json(struct buf *out, const struct heap_printing *printing)
{
    struct json json = {.out = out};
    json_begin(&json, NULL, '{');
    json_number(&json, "schema", 1);
    put_census(&json, printing);
    put_allocators(&json, printing->census);
    put_why(&json, printing->census->why);
    put_reading(&json, &printing->census->counts);
    put_moves(&json, printing);
    put_rows(&json, printing);
    if (!printing->census->allocator_count) {
        json_line(&json);
        heap_mappings_json(&json, printing->target);
    }
    json_end(&json, '{');
    buf_putc(out, '\n');
}
