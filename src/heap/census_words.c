// SPDX-License-Identifier: MIT
#include "heap/census_words.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profile/size_class.h"

// Bounds of size classes have few figures in the unit that they have at least 1 of.
static int put_size(uint64_t size, char *text, size_t room)
{
    static const char units[] = "BKMGTPE";
    size_t unit = 0;
    double value = (double)size;
    for (; value >= 1024 && units[unit + 1]; unit++)
        value /= 1024;
    return snprintf(text, room, "%g%c", value, units[unit]);
}

const char *census_size_text(uint64_t size, char text[CENSUS_SIZE_TEXT])
{
    uint64_t below = size_class_below(size);
    if (below + 1 >= size) {
        snprintf(text, CENSUS_SIZE_TEXT, "%" PRIu64 " byte%s", size, size == 1 ? "" : "s");
        return text;
    }
    int length = put_size(below, text, CENSUS_SIZE_TEXT);
    text[length++] = '-';
    put_size(size, text + length, CENSUS_SIZE_TEXT - (size_t)length);
    return text;
}

struct block_count census_count_of(const struct heap_census *census,
                                   const struct heap_census_row *row, struct census_texts *texts)
{
    const struct heap_census_allocator *allocator = &census->allocators[row->allocator];
    enum block_kind kind = kinds_kind(census->kinds, row->kind);
    const char *name = kinds_name(census->kinds, row->kind);
    texts->arena[0] = '\0';
    // Whether there are several now does not count: the next census may find one more.
    if (allocator->by_arena)
        snprintf(texts->arena, sizeof texts->arena, "%" PRIu32, row->arena);
    return (struct block_count){
        .allocator = allocator->name,
        .arena = texts->arena,
        .kind = block_kind_words[kind],
        .what = *name || kind != BLOCK_UNKNOWN ? name : census_size_text(row->size, texts->size),
        .size = row->size,
        .blocks = row->count,
        .bytes = row->bytes,
    };
}
