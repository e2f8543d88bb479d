// SPDX-License-Identifier: MIT
#include "process/perf_map.h"

#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

#define PAGE_BITS 12
#define ENTRIES_MAX (1u << 20)
#define SIZE_MOST (64ull << 20)    // bytes of code of one entry
#define PLACES_MAX (4u << 20)      // pages of all entries together
#define NAMES_MAX (128ull << 20)   // bytes of all names together
#define NAME_MAX_LENGTH 4096u
#define LOOK_MAX 1024u             // entries of one page that are looked at, newest first
#define NONE UINT32_MAX

struct perf_map_entry {
    uint64_t start;
    uint32_t size;
    uint32_t name;   // offset in names
    bool used;       // the code was seen to run
};

struct perf_map_place { // an entry in one of the pages that it covers
    uint32_t entry, older; // older: index of the place before it in the same page, or NONE
};

struct perf_map {
    struct perf_map_entry *entries;
    size_t count, capacity;
    struct perf_map_place *places;
    size_t place_count, place_capacity;
    struct map newest; // page -> newest place
    char *names;       // each with its NUL
    size_t names_length, names_capacity;
    size_t moved;
};

struct perf_map *perf_map_new(void)
{
    struct perf_map *map = xcalloc(1, sizeof *map);
    map->moved = SIZE_MAX;
    return map;
}

void perf_map_free(struct perf_map *map)
{
    if (!map)
        return;
    map_fini(&map->newest);
    free(map->entries);
    free(map->places);
    free(map->names);
    free(map);
}

size_t perf_map_count(const struct perf_map *map)
{
    return map->count;
}

size_t perf_map_moved(struct perf_map *map)
{
    size_t moved = map->moved;
    map->moved = SIZE_MAX;
    return moved;
}

static struct perf_map_entry *find(const struct perf_map *map, uint64_t address, size_t known)
{
    uint32_t at = map_get(&map->newest, address >> PAGE_BITS, NONE);
    for (unsigned looked = 0; at != NONE && looked < LOOK_MAX; looked++) {
        struct perf_map_entry *entry = &map->entries[map->places[at].entry];
        if (map->places[at].entry < known && address - entry->start < entry->size)
            return entry;
        at = map->places[at].older;
    }
    return NULL;
}

const char *perf_map_find(const struct perf_map *map, uint64_t address, size_t known,
                          uint64_t *offset)
{
    const struct perf_map_entry *entry = find(map, address, known);
    if (!entry)
        return NULL;
    *offset = address - entry->start;
    return map->names + entry->name;
}

void perf_map_use(struct perf_map *map, uint64_t address)
{
    struct perf_map_entry *entry = find(map, address, SIZE_MAX);
    if (entry)
        entry->used = true;
}

// --- adding entries ---

static uint32_t add_name(struct perf_map *map, const char *name, size_t length)
{
    uint32_t at = (uint32_t)map->names_length;
    while (map->names_capacity < map->names_length + length + 1) {
        map->names_capacity = map->names_capacity ? map->names_capacity * 2 : 65536;
        map->names = xrealloc(map->names, map->names_capacity);
    }
    memcpy(map->names + at, name, length);
    map->names[at + length] = '\0';
    map->names_length += length + 1;
    return at;
}

static bool is_named(const struct perf_map *map, const struct perf_map_entry *entry,
                     const char *name, size_t length)
{
    return strncmp(map->names + entry->name, name, length) == 0 &&
           map->names[entry->name + length] == '\0';
}

// Returns whether the new entry covers code that has another name and was seen to run. It is enough
// to find one such entry in a page.
static bool takes_from_used(const struct perf_map *map, const struct perf_map_entry *fresh,
                            uint64_t page, const char *name, size_t length)
{
    uint32_t at = map_get(&map->newest, page, NONE);
    for (unsigned looked = 0; at != NONE && looked < LOOK_MAX; looked++) {
        const struct perf_map_entry *old = &map->entries[map->places[at].entry];
        if (old->used && old->start < fresh->start + fresh->size &&
            fresh->start < old->start + old->size && !is_named(map, old, name, length))
            return true;
        at = map->places[at].older;
    }
    return false;
}

static void add(struct perf_map *map, uint64_t start, uint64_t size, const char *name,
                size_t length)
{
    uint64_t first = start >> PAGE_BITS, last = (start + size - 1) >> PAGE_BITS;
    const struct perf_map_entry *old = find(map, start, SIZE_MAX);
    if (old && old->start == start && old->size == size && is_named(map, old, name, length))
        return; // some writers write the whole file again
    if (map->count == ENTRIES_MAX || map->place_count + (last - first) >= PLACES_MAX ||
        map->names_length + length >= NAMES_MAX)
        return;
    struct perf_map_entry entry = {.start = start, .size = (uint32_t)size};
    for (uint64_t page = first; page <= last; page++) {
        if (map->moved == SIZE_MAX && takes_from_used(map, &entry, page, name, length))
            map->moved = map->count;
        ARRAY_RESERVE(map->places, map->place_count, map->place_capacity);
        map->places[map->place_count] =
            (struct perf_map_place){(uint32_t)map->count, map_get(&map->newest, page, NONE)};
        map_put(&map->newest, page, (uint32_t)map->place_count++);
    }
    entry.name = add_name(map, name, length);
    ARRAY_RESERVE(map->entries, map->count, map->capacity);
    map->entries[map->count++] = entry;
}

// --- reading ---

// Parses a hexadecimal number, with or without "0x", and the space after it.
static bool take_number(const char **at, const char *end, uint64_t *value)
{
    const char *digits = *at + (end - *at > 2 && (*at)[0] == '0' && (*at)[1] == 'x' ? 2 : 0);
    const char *text = digits;
    for (*value = 0; text < end && text - digits <= 16; text++) {
        int digit = *text >= '0' && *text <= '9'   ? *text - '0'
                    : *text >= 'a' && *text <= 'f' ? *text - 'a' + 10
                    : *text >= 'A' && *text <= 'F' ? *text - 'A' + 10
                                                   : -1;
        if (digit < 0)
            break;
        *value = *value << 4 | (uint64_t)digit;
    }
    bool good = text > digits && text - digits <= 16 && text < end && *text == ' ';
    *at = text + 1;
    return good;
}

static void take_line(struct perf_map *map, const char *line, const char *end)
{
    uint64_t start, size;
    if (!take_number(&line, end, &start) || !take_number(&line, end, &size))
        return;
    size_t length = strnlen(line, (size_t)(end - line));
    if (length > NAME_MAX_LENGTH)
        length = NAME_MAX_LENGTH;
    if (length && size && size <= SIZE_MOST && start <= UINT64_MAX - size)
        add(map, start, size, line, length);
}

size_t perf_map_parse(struct perf_map *map, const char *text, size_t length)
{
    const char *line = text, *end;
    while ((end = memchr(line, '\n', length - (size_t)(line - text)))) {
        take_line(map, line, end);
        line = end + 1;
    }
    return (size_t)(line - text);
}
