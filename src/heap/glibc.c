// SPDX-License-Identifier: MIT
// glibc's malloc. Its main arena has no symbol in a stripped libc, but an empty bin of it points to
// itself, and there are more than a hundred of them.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/allocator.h"

#define BINS 127
#define STATE 0x898u       // bytes of struct malloc_state
#define TOP 0x60u
#define BIN(k) (0x70u + 16 * (k))
#define SYSTEM_MEM 0x888u
#define IN_USE 1u          // of the chunk before
#define FLAGS 7u
#define LEAST 32u          // bytes of the smallest chunk

struct glibc_books {
    struct heap_target *target;
    uint64_t main; // address of the main arena
};

static uint64_t word(const void *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, (const char *)bytes + at, sizeof value);
    return value;
}

static bool is_arena(const struct heap_target *target, const unsigned char *bytes,
                     uint64_t address)
{
    const struct proc_map *heap = heap_target_region(target, word(bytes, TOP));
    size_t empty = 0;
    for (size_t k = 0; k < BINS; k++) {
        uint64_t self = address + BIN(k) - 0x10;
        empty += word(bytes, BIN(k)) == self && word(bytes, BIN(k) + 8) == self;
    }
    return empty > 20 && heap && strcmp(heap->path, "[heap]") == 0;
}

static uint64_t arena_in(struct heap_target *target, const struct proc_map *map)
{
    for (uint64_t at = map->start; at + STATE <= map->end; at += 8) {
        const void *bytes = heap_view_window(&target->view, at, STATE, map->end);
        if (bytes && is_arena(target, bytes, at))
            return at;
    }
    return 0;
}

static void *find(struct heap_target *target, struct buf *why)
{
    for (size_t i = 0; i < target->regions.count; i++) {
        const struct proc_map *map = &target->regions.list[i];
        uint64_t main = map->writable && strstr(map->path, "libc.so.6") ? arena_in(target, map) : 0;
        if (!main)
            continue;
        struct glibc_books *books = xmalloc(sizeof *books);
        *books = (struct glibc_books){target, main};
        return books;
    }
    buf_puts(why, "glibc: no main arena in the data of libc.so.6\n");
    return NULL;
}

static void version(const void *books, char *text, size_t size)
{
    (void)books;
    snprintf(text, size, "%s", "");
}

static void count(void *state, struct heap_figures *figures)
{
    const struct glibc_books *books = state;
    uint64_t system_mem;
    if (heap_view_read(&books->target->view, books->main + SYSTEM_MEM, &system_mem, 8))
        heap_figures_set(figures, FIGURE_SYSTEM, system_mem);
}

// Visits the chunks [at, end). A chunk is in use when the one behind it says so.
static void walk_chunks(struct heap_view *view, uint64_t at, uint64_t end,
                        const struct block_visitor *visitor, struct walk_quality *quality)
{
    quality->walked += end - at;
    while (at + 16 < end) {
        const void *bytes = heap_view_window(view, at, 16, end);
        uint64_t size = bytes ? word(bytes, 8) & ~(uint64_t)FLAGS : 0;
        if (size < LEAST || size % 16 || size > end - at - 16) {
            quality->skipped += end - at;
            return;
        }
        size_t have = size - 8 < BLOCK_HEAD ? size - 8 : BLOCK_HEAD;
        const unsigned char *head = heap_view_window(view, at + 16, have, end);
        unsigned char copy[BLOCK_HEAD];
        if (head)
            memcpy(copy, head, have);
        const void *behind = heap_view_window(view, at + size, 16, end);
        if (behind && word(behind, 8) & IN_USE &&
            !visitor->visit(visitor->context,
                            &(struct block){.address = at + 16, .usable = size - 8, .taken = size,
                                            .have = head ? have : 0, .bytes = copy}))
            return;
        at += size;
    }
}

static void walk(void *state, const struct block_visitor *visitor,
                 struct walk_quality *quality)
{
    const struct glibc_books *books = state;
    uint64_t top;
    for (size_t i = 0; i < books->target->regions.count; i++) {
        const struct proc_map *map = &books->target->regions.list[i];
        if (strcmp(map->path, "[heap]") == 0 &&
            heap_view_read(&books->target->view, books->main + TOP, &top, 8) && top <= map->end)
            walk_chunks(&books->target->view, map->start, top + 16, visitor, quality);
    }
}

const struct allocator allocator_glibc = {
    .name = "glibc",
    .find = find,
    .version = version,
    .count = count,
    .walk = walk,
    .free = free,
};
