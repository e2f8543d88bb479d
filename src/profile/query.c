// SPDX-License-Identifier: MIT
#include "profile/query.h"

const struct symbol_line query_folded = {.name = "[folded]", .system_name = "", .file = ""};

bool query_takes(const struct query_source *source, const struct profile_value *value)
{
    return (value->state != STATE_CPU) == profile_type_by_state(source->type) &&
           (value->samples || value->ns);
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
