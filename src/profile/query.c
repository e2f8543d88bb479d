// SPDX-License-Identifier: MIT
#include "profile/query.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "profile/rows.h"

const struct symbol_line query_folded = {.name = "[folded]", .system_name = "", .file = ""};

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
