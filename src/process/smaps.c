// SPDX-License-Identifier: MIT
#include "process/smaps.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const struct {
    enum smaps_figure figure;
    const char *key;
} rows[] = {
#define X(name, key) {SMAPS_##name, key},
    SMAPS_FIGURES(X)
#undef X
};

// A mapping begins with its address, in small letters; figures begin with a capital one.
static bool begins_mapping(const char *line)
{
    return (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f');
}

static void take_figure(struct smaps_mapping *mapping, const char *line)
{
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        size_t length = strlen(rows[i].key);
        if (strncmp(line, rows[i].key, length) == 0) {
            uint64_t kib = strtoull(line + length, NULL, 10);
            uint64_t *sum = &mapping->bytes[rows[i].figure];
            if (kib > UINT64_MAX / 1024 || __builtin_add_overflow(*sum, kib * 1024, sum))
                *sum = UINT64_MAX;
            return;
        }
    }
}

// Parses one line, which is cut out of the text first, so that no other line is passed over.
static bool take_mapping(char *line, struct smaps_mapping *mapping)
{
    *mapping = (struct smaps_mapping){0};
    return begins_mapping(line) && proc_map_parse(&line, &mapping->map);
}

// Cuts the line at *cursor out and moves *cursor behind it.
static char *next_line(char **cursor)
{
    char *line = *cursor, *newline = strchr(line, '\n');
    if (newline)
        *newline = '\0';
    *cursor = newline ? newline + 1 : line + strlen(line);
    return line;
}

bool smaps_parse(char **cursor, struct smaps_mapping *mapping)
{
    bool found = false;
    while (**cursor && !(found && begins_mapping(*cursor))) {
        char *line = next_line(cursor);
        if (found)
            take_figure(mapping, line);
        else
            found = take_mapping(line, mapping);
    }
    return found;
}
