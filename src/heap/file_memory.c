// SPDX-License-Identifier: MIT
#include "heap/file_memory.h"

#include <stdlib.h>
#include <string.h>

#include "base/ascending.h"
#include "base/mem.h"

#define PIECE 256u // bytes of a text that are read at once

void file_memory_fini(struct file_memory *memory)
{
    free(memory->list);
    *memory = (struct file_memory){0};
}

static void add_to_filter(struct file_memory *memory, const struct proc_map *map)
{
    uint64_t count = (map->end - map->start) >> 12;
    for (uint64_t i = 0; i < count && i < FILE_MEMORY_BITS; i++) {
        uint64_t page = ((map->start >> 12) + i) % FILE_MEMORY_BITS;
        memory->filter[page / 64] |= 1ull << page % 64;
    }
}

// Adds a mapping; one that goes on where the last one ended makes that longer.
static void add(struct file_memory *memory, const struct proc_map *map)
{
    add_to_filter(memory, map);
    struct file_span *last = memory->count ? &memory->list[memory->count - 1] : NULL;
    if (last && last->end == map->start) {
        last->end = map->end;
        return;
    }
    ARRAY_RESERVE(memory->list, memory->count, memory->capacity);
    memory->list[memory->count++] = (struct file_span){map->start, map->end};
}

void file_memory_refresh(struct file_memory *memory)
{
    struct heap_target *target = memory->target;
    const struct regions *regions = &target->regions;
    bool first = !memory->reading, changed;
    memory->reading = target->readings;
    memory->count = 0;
    memset(memory->filter, 0, sizeof memory->filter);
    if (!first && space_refresh(target->space, target->tid, &changed) != RC_OK)
        return; // there is no such memory any more
    for (size_t i = 0; i < regions->count; i++)
        if (regions->list[i].readable && regions->list[i].inode && !regions->list[i].shared)
            add(memory, &regions->list[i]);
}

static const struct file_span *span_of(const struct file_memory *memory, uint64_t address)
{
    const struct file_span *span =
        ascending_last(memory->list, memory->count, sizeof *span, address);
    return span && address < span->end ? span : NULL;
}

bool file_memory_read(const struct file_memory *memory, uint64_t address, void *to, size_t length)
{
    const struct file_span *span = span_of(memory, address);
    return span && length <= span->end - address &&
           (heap_view_read(&memory->target->view, address, to, length) ||
            areas_read(space_areas(memory->target->space), address, to, length));
}

bool file_memory_text(const struct file_memory *memory, uint64_t address, char *to, size_t size)
{
    for (size_t got = 0; got < size;) {
        size_t piece = PIECE - (address + got) % PIECE; // never beyond a page
        piece = piece < size - got ? piece : size - got;
        if (!file_memory_read(memory, address + got, to + got, piece))
            return false;
        if (memchr(to + got, '\0', piece))
            return true;
        got += piece;
    }
    return false;
}
