// SPDX-License-Identifier: MIT
// Which mapping an address lies in, by the lines of maps at the end of a legacy profile. google's
// pprof puts right what programs that wrote such files are known to have got wrong; so do we.
#include "output/legacy.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "output/mapped_file.h"
#include "process/procfs.h"

#define NO_PIE 0x400000 // where programs begin that are not position independent

struct map_list {
    struct plain_mapping *list;
    size_t count, capacity;
    uint32_t *sorted; // numbers by start
    uint32_t *added;  // [number]: its number in the profile + 1; 1 from the beginning for all used
};

// --- the list ---

static void strip_end(char *path)
{
    char *mark = strstr(path, " (deleted)");
    if (mark)
        *mark = '\0';
    path[strcspn(path, "\r")] = '\0';
}

// A mapping that was split in two is one.
static bool continues(const struct plain_mapping *a, const struct plain_mapping *b)
{
    if (a->file && b->file && a->file != b->file)
        return false;
    return a->limit == b->start &&
           (!a->offset || !b->offset || a->offset + (a->limit - a->start) == b->offset);
}

static void add(struct map_list *maps, struct plain_mapping mapping)
{
    struct plain_mapping *last = maps->count ? &maps->list[maps->count - 1] : NULL;
    if (last && continues(last, &mapping)) {
        last->limit = mapping.limit;
        last->file = mapping.file ? mapping.file : last->file;
        last->made &= mapping.made;
        return;
    }
    ARRAY_RESERVE(maps->list, maps->count, maps->capacity);
    maps->list[maps->count++] = mapping;
}

static void read_list(struct map_list *maps, struct plain_profile *to, const char *text,
                      size_t length)
{
    AUTO_BUF struct buf copy = {0};
    struct proc_map map;
    buf_append(&copy, text, length);
    for (char *at = copy.data; proc_map_parse(&at, &map);) {
        if (!map.executable || map.start >= map.end)
            continue;
        strip_end(map.path);
        add(maps, (struct plain_mapping){
                      .start = map.start,
                      .limit = map.end,
                      .offset = map.offset,
                      .file = plain_text(to, map.path),
                      .made = mapped_file_is_made(map.path),
                  });
    }
}

// The first mapping of a profile is the program's. Which one that is, its name suggests.
static void put_program_first(struct map_list *maps, const struct plain_profile *to)
{
    for (size_t i = 0; i < maps->count; i++) {
        if (!mapped_file_is_program(plain_string(to, maps->list[i].file)))
            continue;
        struct plain_mapping program = maps->list[i];
        maps->list[i] = maps->list[0];
        maps->list[0] = program;
        break;
    }
}

static void repair_program(struct map_list *maps, const struct plain_profile *to)
{
    static const char huge[] = "/anon_hugepage";
    if (maps->count > 1 && maps->list[0].limit == maps->list[1].start &&
        strncmp(plain_string(to, maps->list[0].file), huge, sizeof huge - 1) == 0)
        memmove(maps->list, maps->list + 1, --maps->count * sizeof *maps->list);
    if (maps->count && maps->list[0].start - maps->list[0].offset == NO_PIE) {
        maps->list[0].start = NO_PIE;
        maps->list[0].offset = 0;
    }
}

// --- locations ---

static int compare(const void *left, const void *right, void *context)
{
    const struct plain_mapping *list = context;
    const struct plain_mapping *a = &list[*(const uint32_t *)left];
    const struct plain_mapping *b = &list[*(const uint32_t *)right];
    return (a->start > b->start) - (a->start < b->start);
}

static void sort(struct map_list *maps)
{
    maps->sorted = xcalloc(maps->count + 1, sizeof *maps->sorted);
    for (uint32_t i = 0; i < maps->count; i++)
        maps->sorted[i] = i;
    qsort_r(maps->sorted, maps->count, sizeof *maps->sorted, compare, maps->list);
}

// Returns how many mappings begin at or below the address.
static size_t count_below(const struct map_list *maps, uint64_t address)
{
    size_t low = 0, high = maps->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (maps->list[maps->sorted[middle]].start <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

// Some programs left out the first part of a mapping that was split: the one behind the address
// then begins where its file does.
static uint32_t mapping_at(struct map_list *maps, uint64_t address)
{
    size_t below = count_below(maps, address);
    if (below && address < maps->list[maps->sorted[below - 1]].limit)
        return maps->sorted[below - 1];
    if (below == maps->count)
        return PLAIN_NONE;
    struct plain_mapping *next = &maps->list[maps->sorted[below]];
    if (!next->offset || next->offset > next->start || next->start - next->offset > address)
        return PLAIN_NONE;
    next->start -= next->offset;
    next->offset = 0;
    return maps->sorted[below];
}

static void find_all(struct map_list *maps, struct plain_code *code)
{
    if (maps->count)
        maps->added[0] = 1;
    for (size_t i = 0; i < code->location_count; i++) {
        struct plain_location *at = &code->locations[i];
        at->mapping = at->address ? mapping_at(maps, at->address) : PLAIN_NONE;
        if (at->mapping != PLAIN_NONE)
            maps->added[at->mapping] = 1;
    }
}

// Mappings without code of the profile are left out, except the program's.
static void add_used(struct map_list *maps, struct plain_profile *to)
{
    for (size_t i = 0; i < maps->count; i++)
        if (maps->added[i])
            maps->added[i] = plain_add_mapping(to, maps->list[i]) + 1;
    for (size_t i = 0; i < to->code.location_count; i++) {
        uint32_t *mapping = &to->code.locations[i].mapping;
        *mapping = *mapping == PLAIN_NONE ? PLAIN_NONE : maps->added[*mapping] - 1;
    }
}

void legacy_maps(struct legacy *legacy, const char *text, size_t length)
{
    struct map_list maps = {0};
    if (!length)
        return;
    read_list(&maps, legacy->to, text, length);
    put_program_first(&maps, legacy->to);
    repair_program(&maps, legacy->to);
    sort(&maps);
    maps.added = xcalloc(maps.count + 1, sizeof *maps.added);
    find_all(&maps, &legacy->to->code);
    add_used(&maps, legacy->to);
    free(maps.list);
    free(maps.sorted);
    free(maps.added);
}

// --- where they begin ---

bool legacy_is_maps_mark(struct text_span line)
{
    static const char *const marks[] = {"--- Memory map: ---", "MAPPED_LIBRARIES:"};
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++)
        if (memmem(line.at, scan_left(&line), marks[i], strlen(marks[i])))
            return true;
    return false;
}

void legacy_maps_behind(struct legacy *legacy, struct text_lines *lines,
                        const struct text_span *end)
{
    struct text_span line = end ? *end : (struct text_span){lines->at, lines->at};
    while (!legacy_is_maps_mark(line) && scan_line(lines, &line))
        ;
    legacy_maps(legacy, lines->at, (size_t)(lines->end - lines->at));
}
