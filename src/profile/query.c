// SPDX-License-Identifier: MIT
#include "profile/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/rows.h"

const struct symbol_line query_folded = {.name = "[folded]", .system_name = "", .file = ""};

struct cost cost_make(enum profile_state state, uint64_t samples, uint64_t ns)
{
    struct cost cost = {.samples = samples};
    *(state == STATE_BLOCKED  ? &cost.blocked_ns
      : state == STATE_QUEUED ? &cost.queued_ns
                              : &cost.cpu_ns) = ns;
    return cost;
}

void cost_add(struct cost *cost, struct cost more)
{
    cost->samples += more.samples;
    cost->cpu_ns += more.cpu_ns;
    cost->queued_ns += more.queued_ns;
    cost->blocked_ns += more.blocked_ns;
}

bool cost_is_any(struct cost cost)
{
    return cost.samples || cost_ns(cost);
}

uint64_t cost_ns(struct cost cost)
{
    return cost.cpu_ns + cost.queued_ns + cost.blocked_ns;
}

bool query_takes(const struct query_source *source, const struct profile_value *value)
{
    return (value->state != STATE_CPU) == source->idle && (value->samples || value->ns);
}

void query_want(const struct query_source *source)
{
    for (uint32_t i = 0; i < profile_location_count(source->profile); i++) {
        struct location at = profile_location_get(source->profile, i);
        symbolizer_want(source->symbolizer, at.mapping, at.offset);
    }
}

void query_fetch(const struct query_source *source)
{
    query_want(source);
    symbolizer_fetch(source->symbolizer);
}

// The rows of all of it, as the live views have them.
void query_flat(const struct query_source *source, size_t top, struct flat *flat)
{
    struct moment all = {
        .profile = (struct profile *)source->profile, // only read
        .names = names_new(source->modules, source->symbolizer),
    };
    struct rows_query query = {.window = WINDOW_ALL, .filter.idle = source->idle};
    struct function_rows rows;
    enum rc never = rows_functions(&all, &query, &rows, NULL); // there are no terms
    (void)never;
    flat->function_count = rows.count;
    flat->row_count = rows.count < top ? rows.count : top;
    flat->all = rows.all;
    flat->rows = xcalloc(flat->row_count + 1, sizeof *flat->rows);
    for (size_t i = 0; i < flat->row_count; i++)
        flat->rows[i] = (struct flat_row){
            .function = rows.rows[i].function->name,
            .module = rows.rows[i].function->module,
            .unnamed = rows.rows[i].function->unnamed,
            .inlined = rows.rows[i].inlined,
            .self = rows.rows[i].self,
            .total = rows.rows[i].total,
        };
    function_rows_fini(&rows);
    flat->names = all.names;
}

void flat_fini(struct flat *flat)
{
    free(flat->rows);
    names_unref(flat->names);
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
                                              .unnamed = symbol->placed &&
                                                         i + 1 == symbol->line_count,
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

void query_threads(const struct query_source *source, struct cost *costs)
{
    memset(costs, 0, profile_thread_count(source->profile) * sizeof *costs);
    for (size_t i = 0; i < profile_value_count(source->profile); i++) {
        const struct profile_value *value = profile_value_get(source->profile, i);
        if (query_takes(source, value))
            cost_add(&costs[value->thread],
                     cost_make(value->state, value->samples, value->ns));
    }
}

struct cost query_all(const struct query_source *source)
{
    struct cost all = {0};
    for (size_t i = 0; i < profile_value_count(source->profile); i++) {
        const struct profile_value *value = profile_value_get(source->profile, i);
        if (query_takes(source, value))
            cost_add(&all, cost_make(value->state, value->samples, value->ns));
    }
    return all;
}

double query_percent(uint64_t part, uint64_t whole)
{
    return whole ? 100.0 * (double)part / (double)whole : 0;
}
