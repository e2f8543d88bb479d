// SPDX-License-Identifier: MIT
#include "serve/remote_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

static bool is_nameless(const struct plain_profile *profile, uint32_t location)
{
    const struct plain_location *at = &profile->code.locations[location];
    bool named = at->mapping != PLAIN_NONE && profile->code.mappings[at->mapping].has_functions;
    return !at->count && at->address && !named;
}

size_t remote_names_ask(const struct plain_profile *profile, struct buf *question)
{
    size_t count = 0;
    for (uint32_t i = 0; i < profile->code.location_count; i++)
        if (is_nameless(profile, i))
            buf_printf(question, "%s0x%" PRIx64, count++ ? "+" : "",
                       profile->code.locations[i].address);
    return count;
}

// Parses a line and returns its name, which ends at the line's end; NULL: it is none.
static const char *parse_line(const char *line, uint64_t *address)
{
    char *end;
    errno = 0;
    if (strncmp(line, "0x", 2) != 0)
        return NULL;
    *address = strtoull(line + 2, &end, 16);
    return !errno && (*end == ' ' || *end == '\t') ? end + 1 : NULL;
}

size_t remote_names_take(struct plain_profile *profile, const char *answer)
{
    struct map functions = {0}; // address -> function
    size_t named = 0;
    for (const char *line = answer; *line;) {
        size_t length = strcspn(line, "\r\n");
        uint64_t address;
        const char *name = parse_line(line, &address);
        if (name && name < line + length) {
            AUTO_FREE char *text = xstrndup(name, (size_t)(line + length - name));
            struct plain_function function = {.name = plain_text(profile, text)};
            function.system_name = function.name;
            map_put(&functions, address, plain_add_function(profile, function));
        }
        line += length + strspn(line + length, "\r\n");
    }
    for (uint32_t i = 0; i < profile->code.location_count; i++) {
        struct plain_line line = {
            .function = map_get(&functions, profile->code.locations[i].address, PLAIN_NONE)};
        if (line.function == PLAIN_NONE || !is_nameless(profile, i))
            continue;
        plain_set_lines(profile, i, &line, 1);
        named++;
    }
    map_fini(&functions);
    return named;
}
