// SPDX-License-Identifier: MIT
#include "profile/query.h"


const struct symbol_line query_folded = {.name = "[folded]", .system_name = "", .file = ""};

bool query_takes(const struct query_source *source, const struct profile_value *value)
{
    if (!(source->type->states >> value->state & 1) || !(value->samples || value->ns))
        return false;
    return !profile_type_by_lock(source->type) || value->state != STATE_DELAYED ||
           profile_wait_get(source->profile, value->wait)->lock;
}

const char *query_function(const void *context, uint32_t location)
{
    const struct query_source *source = context;
    struct location at = profile_location_get(source->profile, location);
    const struct symbol *symbol = symbolizer_lookup(source->symbolizer, at.mapping, at.offset);
    return symbol->lines[symbol->line_count - 1].name;
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
