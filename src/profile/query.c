// SPDX-License-Identifier: MIT
#include "profile/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"

const struct symbol_line query_folded = {.name = "[folded]", .system_name = "", .file = ""};

struct span {
    uint32_t first, count; // count 0: not looked up yet
};

struct tally { // a query_flat at work
    const struct query_source *source;
    struct flat_row *rows;
    size_t row_count, row_capacity;
    uint32_t *seen; // [row]: number of the last value that counted it in its total
    size_t seen_capacity;
    uint32_t values; // seen so far
    struct strtab names;
    struct map ids;     // name of the function << 32 | of the module -> row
    struct span *spans; // [location]: of line_rows
    uint32_t *line_rows;
    size_t line_count, line_capacity;
};

void cost_add(struct cost *cost, struct cost more)
{
    cost->samples += more.samples;
    cost->cpu_ns += more.cpu_ns;
}

static struct cost cost_of(const struct profile_value *value)
{
    return (struct cost){value->samples, value->cpu_ns};
}

static uint32_t row_of(struct tally *tally, const char *function, const char *module)
{
    uint64_t key = (uint64_t)strtab_add(&tally->names, function) << 32 |
                   strtab_add(&tally->names, module);
    uint32_t row = map_get(&tally->ids, key, UINT32_MAX);
    if (row != UINT32_MAX)
        return row;
    ARRAY_RESERVE(tally->rows, tally->row_count, tally->row_capacity);
    ARRAY_RESERVE(tally->seen, tally->row_count, tally->seen_capacity);
    row = (uint32_t)tally->row_count++;
    tally->rows[row] = (struct flat_row){.function = function, .module = module, .inlined = true};
    tally->seen[row] = 0;
    map_put(&tally->ids, key, row);
    return row;
}

static const char *module_name(const struct query_source *source, uint32_t mapping)
{
    return modules_mapping(source->modules, mapping)->module->name;
}

// The rows of a location's functions, innermost first.
static struct span rows_of(struct tally *tally, uint32_t location)
{
    struct span *span = &tally->spans[location];
    if (span->count)
        return *span;
    const struct query_source *source = tally->source;
    struct location at = profile_location_get(source->profile, location);
    const struct symbol *symbol = symbolizer_lookup(source->symbolizer, at.mapping, at.offset);
    *span = (struct span){(uint32_t)tally->line_count, (uint32_t)symbol->line_count};
    for (size_t i = 0; i < symbol->line_count; i++) {
        ARRAY_RESERVE(tally->line_rows, tally->line_count, tally->line_capacity);
        uint32_t row = row_of(tally, symbol->lines[i].name, module_name(source, at.mapping));
        tally->rows[row].inlined &= i + 1 < symbol->line_count;
        tally->line_rows[tally->line_count++] = row;
    }
    return *span;
}

static void count_row(struct tally *tally, uint32_t row, const struct profile_value *value,
                      bool leaf)
{
    if (leaf)
        cost_add(&tally->rows[row].self, cost_of(value));
    if (tally->seen[row] == tally->values)
        return;
    tally->seen[row] = tally->values;
    cost_add(&tally->rows[row].total, cost_of(value));
}

static void count_folded(struct tally *tally, const struct profile_value *value)
{
    uint32_t row = row_of(tally, query_folded.name, "");
    tally->rows[row].inlined = false;
    count_row(tally, row, value, true);
}

static void count_value(struct tally *tally, const struct profile_value *value)
{
    bool leaf = true;
    tally->values++;
    if (!value->stack)
        count_folded(tally, value);
    for (uint32_t at = value->stack; at;) {
        struct stack_node node = profile_node(tally->source->profile, at);
        struct span span = rows_of(tally, node.location);
        for (uint32_t i = 0; i < span.count; i++) {
            count_row(tally, tally->line_rows[span.first + i], value, leaf);
            leaf = false;
        }
        at = node.parent;
    }
}

static int descending(uint64_t a, uint64_t b)
{
    return (a < b) - (a > b);
}

static int compare_rows(const void *left, const void *right)
{
    const struct flat_row *a = left, *b = right;
    int order[] = {
        descending(a->self.cpu_ns, b->self.cpu_ns),
        descending(a->total.cpu_ns, b->total.cpu_ns),
        descending(a->self.samples, b->self.samples),
        descending(a->total.samples, b->total.samples),
        strcmp(a->function, b->function),
        strcmp(a->module, b->module),
    };
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
        if (order[i])
            return order[i];
    return 0;
}

void query_fetch(const struct query_source *source)
{
    for (uint32_t i = 0; i < profile_location_count(source->profile); i++) {
        struct location at = profile_location_get(source->profile, i);
        symbolizer_want(source->symbolizer, at.mapping, at.offset);
    }
    symbolizer_fetch(source->symbolizer);
}

void query_flat(const struct query_source *source, size_t top, struct flat *flat)
{
    query_fetch(source);
    struct tally tally = {
        .source = source,
        .spans = xcalloc(profile_location_count(source->profile), sizeof(struct span)),
    };
    *flat = (struct flat){0};
    strtab_init(&tally.names);
    for (size_t i = 0; i < profile_value_count(source->profile); i++) {
        const struct profile_value *value = profile_value_get(source->profile, i);
        if (!value->samples && !value->cpu_ns)
            continue;
        cost_add(&flat->all, cost_of(value));
        count_value(&tally, value);
    }
    if (tally.row_count)
        qsort(tally.rows, tally.row_count, sizeof *tally.rows, compare_rows);
    flat->rows = tally.rows;
    flat->function_count = tally.row_count;
    flat->row_count = tally.row_count < top ? tally.row_count : top;
    strtab_fini(&tally.names);
    map_fini(&tally.ids);
    free(tally.seen);
    free(tally.spans);
    free(tally.line_rows);
}

void flat_fini(struct flat *flat)
{
    free(flat->rows);
    *flat = (struct flat){0};
}

static void frames_add(struct frames *frames, struct frame frame)
{
    ARRAY_RESERVE(frames->list, frames->count, frames->capacity);
    frames->list[frames->count++] = frame;
}

void query_frames(const struct query_source *source, uint32_t stack, struct frames *frames)
{
    frames->count = 0;
    if (!stack)
        frames_add(frames, (struct frame){.line = &query_folded, .module = ""});
    for (uint32_t at = stack; at;) {
        struct stack_node node = profile_node(source->profile, at);
        struct location place = profile_location_get(source->profile, node.location);
        const struct symbol *symbol =
            symbolizer_lookup(source->symbolizer, place.mapping, place.offset);
        const struct module *module = modules_mapping(source->modules, place.mapping)->module;
        for (size_t i = 0; i < symbol->line_count; i++)
            frames_add(frames, (struct frame){.line = &symbol->lines[i],
                                              .module = module->name,
                                              .offset = place.offset,
                                              .inlined = i + 1 < symbol->line_count,
                                              .jit = module->kind == MODULE_ANON && symbol->found});
        at = node.parent;
    }
}

void frames_fini(struct frames *frames)
{
    free(frames->list);
    *frames = (struct frames){0};
}

void query_threads(const struct profile *profile, struct cost *costs)
{
    memset(costs, 0, profile_thread_count(profile) * sizeof *costs);
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        const struct profile_value *value = profile_value_get(profile, i);
        cost_add(&costs[value->thread], cost_of(value));
    }
}

double query_percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}
