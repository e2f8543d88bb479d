// SPDX-License-Identifier: MIT
#include "heap/pymalloc_arenas.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/pymalloc_pool.h"

enum { // offsets in struct arena_object
    ADDRESS = 0,
    POOL_ADDRESS = 8,
    FREE_POOLS = 16,
    TOTAL_POOLS = 20,
    NEXT_ARENA = 32,
    ENTRY = 48,
};

#define AT_ONCE 16u        // entries that are read; as many as the smallest table has
#define POOLS_MAX 64u      // in an arena of either size
#define ENTRIES_MAX (1u << 20)
#define PAGE 4096u

static uint64_t word(const unsigned char *bytes, size_t at)
{
    uint64_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

static uint32_t half(const unsigned char *bytes, size_t at)
{
    uint32_t value;
    memcpy(&value, bytes + at, sizeof value);
    return value;
}

// An arena is a mapping of its own, or a part of one: pools were taken from its beginning on.
static bool is_arena(const struct heap_target *target, const unsigned char *entry)
{
    uint64_t address = word(entry, ADDRESS), next = word(entry, POOL_ADDRESS);
    uint32_t total = half(entry, TOTAL_POOLS);
    const struct proc_map *map = heap_target_region(target, address);
    return map && map->writable && !map->shared && (total == POOLS_MAX || total == POOLS_MAX - 1) &&
           half(entry, FREE_POOLS) <= total && next >= address && next <= map->end;
}

// An entry that is not in use belongs to a list of such.
static bool is_unused(const unsigned char *entry, uint64_t table)
{
    uint64_t next = word(entry, NEXT_ARENA), offset = next - table;
    return !word(entry, ADDRESS) &&
           (!next || (offset % ENTRY == 0 && offset < (uint64_t)ENTRIES_MAX * ENTRY));
}

static void add(struct pymalloc_arenas *arenas, const unsigned char *entry)
{
    uint64_t address = word(entry, ADDRESS);
    ARRAY_RESERVE(arenas->list, arenas->count, arenas->capacity);
    arenas->list[arenas->count++] =
        (struct pymalloc_arena){.address = address,
                                .end = word(entry, POOL_ADDRESS),
                                .index = (uint32_t)arenas->entries,
                                .count = half(entry, TOTAL_POOLS)};
}

// Reads entries until one is none. The table ends there at the latest: behind it is something else.
static void read_entries(struct pymalloc_arenas *arenas, struct heap_target *target, uint64_t table)
{
    unsigned char entries[AT_ONCE * ENTRY];
    while (arenas->entries < ENTRIES_MAX &&
           heap_view_read(&target->view, table + arenas->entries * ENTRY, entries, sizeof entries))
        for (size_t i = 0; i < AT_ONCE; i++, arenas->entries++) {
            const unsigned char *entry = entries + i * ENTRY;
            if (is_arena(target, entry))
                add(arenas, entry);
            else if (!is_unused(entry, table))
                return;
        }
}

static int compare(const void *left, const void *right)
{
    const struct pymalloc_arena *a = left, *b = right;
    if (a->address != b->address)
        return a->address < b->address ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

// Learns sizes from the first pool of an arena, whose address is rounded up to that of a page or to
// four of them.
static bool learn(struct pymalloc_arenas *arenas, struct heap_target *target,
                  const struct pymalloc_arena *arena)
{
    unsigned char header[POOL_HEAD];
    struct pool pool = {0};
    for (uint64_t bytes = PAGE; bytes <= POOL_MAX; bytes *= 4) {
        uint64_t first = (arena->address + bytes - 1) & ~(bytes - 1);
        if (first < arena->end && heap_view_read(&target->view, first, header, sizeof header) &&
            pool_learn(header, &pool.bytes, &pool.alignment) && pool.bytes == bytes &&
            pool_parse(&pool, header) && pool.index == arena->index) {
            arenas->pool_bytes = pool.bytes;
            arenas->alignment = pool.alignment;
            arenas->bytes = (uint64_t)pool.bytes * POOLS_MAX;
            return true;
        }
    }
    return false;
}

// Keeps those whose pools fit, one of each that overlap: each byte is walked once at most.
static void keep_sound(struct pymalloc_arenas *arenas)
{
    size_t kept = 0;
    uint64_t pool = arenas->pool_bytes, above = 0;
    for (size_t i = 0; i < arenas->count; i++) {
        struct pymalloc_arena arena = arenas->list[i];
        arena.pools = (arena.address + pool - 1) & ~(pool - 1);
        uint64_t most = arena.pools + arena.count * pool;
        if (arena.address < above || arena.end > most || most - arena.address > arenas->bytes)
            continue;
        above = arena.address + arenas->bytes;
        arenas->list[kept++] = arena;
    }
    arenas->count = kept;
}

static bool read_table(struct pymalloc_arenas *arenas, struct heap_target *target, uint64_t table)
{
    arenas->count = 0;
    arenas->entries = 0;
    read_entries(arenas, target, table);
    bool learnt = false;
    for (size_t i = 0; i < arenas->count && i < AT_ONCE && !learnt; i++)
        learnt = learn(arenas, target, &arenas->list[i]);
    if (!learnt)
        return false;
    qsort(arenas->list, arenas->count, sizeof *arenas->list, compare);
    keep_sound(arenas);
    return arenas->count;
}

// A table is in memory that was allocated. One whose first entries are none is not read further.
static bool may_be_table(struct heap_target *target, uint64_t address)
{
    unsigned char entries[2 * ENTRY];
    const struct proc_map *map = heap_target_region(target, address);
    if (!map || !map->writable || map->shared || *map->path == '/')
        return false;
    if (!heap_view_read(&target->view, address, entries, sizeof entries))
        return false;
    for (size_t i = 0; i < 2; i++)
        if (!is_arena(target, entries + i * ENTRY) && !is_unused(entries + i * ENTRY, address))
            return false;
    return true;
}

static bool try_variable(struct pymalloc_arenas *arenas, struct heap_target *target,
                         uint64_t variable)
{
    uint64_t table;
    return heap_view_read(&target->view, variable, &table, sizeof table) &&
           may_be_table(target, table) && read_table(arenas, target, table);
}

// Variables that hold 0, or no address of what malloc gives out, are most.
static bool search_page(struct pymalloc_arenas *arenas, struct heap_target *target,
                        const unsigned char *bytes, size_t length)
{
    uint64_t last = 0;
    for (size_t at = 0; at + 8 <= length; at += 8) {
        uint64_t table = word(bytes, at);
        if (!table || table % 16 || table == last || !may_be_table(target, table))
            continue;
        last = table;
        if (read_table(arenas, target, table))
            return true;
    }
    return false;
}

static bool search(struct pymalloc_arenas *arenas, struct heap_target *target, uint64_t start,
                   uint64_t end)
{
    for (uint64_t at = start; at < end; at += PAGE) {
        size_t length = end - at < PAGE ? (size_t)(end - at) : PAGE;
        const void *bytes = heap_view_window(&target->view, at, length, end);
        if (bytes && search_page(arenas, target, bytes, length))
            return true;
    }
    return false;
}

bool pymalloc_arenas_find(struct pymalloc_arenas *arenas, struct heap_target *target,
                          const struct cpython *python)
{
    uint64_t variable, size;
    *arenas = (struct pymalloc_arenas){0};
    return (cpython_variable(target, "arenas", &variable, &size) &&
            try_variable(arenas, target, variable)) ||
           search(arenas, target, python->start, python->end);
}
