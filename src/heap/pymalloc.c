// SPDX-License-Identifier: MIT
// CPython's pymalloc, which has all blocks of up to 512 bytes: arenas of pools, each pool of blocks
// of one size. In use is what was given out and is not on the pool's list of free blocks.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/allocator.h"
#include "heap/pymalloc_arenas.h"
#include "heap/pymalloc_pool.h"

#define ENTRY_BYTES 48u // of the table of arenas
#define PAGE 4096u
#define LOOKS 3         // at a pool that changes while it is copied

struct pymalloc_books {
    struct heap_target *target;
    struct cpython python;
    struct pymalloc_arenas arenas;
    unsigned char copy[POOL_MAX]; // of a pool
};

static void *find(struct heap_target *target, struct buf *why)
{
    struct pymalloc_books *books = xcalloc(1, sizeof *books);
    books->target = target;
    bool is_python = cpython_find(target, &books->python);
    if (is_python && pymalloc_arenas_find(&books->arenas, target, &books->python))
        return books;
    if (is_python)
        buf_printf(why, "pymalloc: CPython %s has no table of arenas among its variables "
                   "(does it run with PYTHONMALLOC=malloc?)\n", books->python.version);
    else if (books->python.type)
        buf_puts(why, "pymalloc: PyType_Type is no type as known of CPython "
                      "(builds without the GIL have others)\n");
    free(books->arenas.list);
    free(books);
    return NULL;
}

static void version(const void *state, char *text, size_t size)
{
    const struct pymalloc_books *books = state;
    snprintf(text, size, "%s", books->python.version);
}

// Copies bytes of a pool: at the first look out of the window, whose copy may be older.
static bool copy_bytes(struct pymalloc_books *books, const struct pymalloc_arena *arena,
                       uint64_t pool, size_t offset, size_t length, int look)
{
    struct heap_view *view = &books->target->view;
    unsigned char *to = books->copy + offset;
    if (look > 0)
        return heap_view_read(view, pool + offset, to, length);
    const void *bytes = heap_view_window(view, pool + offset, length, arena->end);
    if (bytes)
        memcpy(to, bytes, length);
    return bytes;
}

// Of a page that is not there nothing is known: of one that was never touched, as the end of the
// last block may be, these zeros are true.
static void copy_pages(struct pymalloc_books *books, const struct pymalloc_arena *arena,
                       uint64_t pool, size_t length, int look)
{
    for (size_t at = 0; at < length; at += PAGE) {
        size_t piece = length - at < PAGE ? length - at : PAGE;
        if (!copy_bytes(books, arena, pool, at, piece, look))
            memset(books->copy + at, 0, piece);
    }
}

// Copies a pool's header, or all of it that was ever given out, and says what its header says.
static bool copy_header(struct pymalloc_books *books, const struct pymalloc_arena *arena,
                        uint64_t address, struct pool *pool, int look)
{
    *pool = (struct pool){.bytes = books->arenas.pool_bytes, .alignment = books->arenas.alignment};
    return copy_bytes(books, arena, address, 0, POOL_HEAD, look) &&
           pool_parse(pool, books->copy) && pool->index == arena->index;
}

static bool copy_pool(struct pymalloc_books *books, const struct pymalloc_arena *arena,
                      uint64_t address, struct pool *pool, int look)
{
    if (!copy_header(books, arena, address, pool, look))
        return false;
    size_t length = POOL_HEAD + (size_t)pool->carved * pool->size;
    if (!pool->count)
        return true;
    if (!copy_bytes(books, arena, address, 0, length, look))
        copy_pages(books, arena, address, length, look);
    return pool_parse(pool, books->copy) &&
           POOL_HEAD + (size_t)pool->carved * pool->size <= length;
}

struct pool_totals {
    uint64_t pools, free_pools, blocks, bytes, free;
};

// Headers are read alone: the pages between them are walked later.
static void count_arena(struct pymalloc_books *books, const struct pymalloc_arena *arena,
                        struct pool_totals *totals)
{
    struct pool pool;
    for (uint64_t at = arena->pools; at < arena->end; at += books->arenas.pool_bytes) {
        bool known = false;
        for (int look = 1; look <= LOOKS && !known; look++)
            known = copy_header(books, arena, at, &pool, look);
        if (!known)
            continue;
        totals->pools += pool.count > 0;
        totals->free_pools += pool.count == 0;
        totals->blocks += pool.count;
        totals->bytes += (uint64_t)pool.count * pool.size;
        totals->free += pool.count ? (uint64_t)(pool.capacity - pool.count) * pool.size : 0;
    }
}

// What is neither in use nor free of an arena is headers and what rounding leaves over.
static void count(void *state, struct heap_figures *figures)
{
    struct pymalloc_books *books = state;
    const struct pymalloc_arenas *arenas = &books->arenas;
    struct pool_totals totals = {0};
    uint64_t places = 0;
    for (size_t i = 0; i < arenas->count; i++) {
        count_arena(books, &arenas->list[i], &totals);
        places += arenas->list[i].count;
    }
    uint64_t system = arenas->count * arenas->bytes;
    uint64_t free = totals.free + (places - totals.pools) * arenas->pool_bytes;
    const struct {
        enum figure figure;
        uint64_t value;
    } told[] = {
        {FIGURE_ARENAS, arenas->count},
        {FIGURE_SYSTEM, system},
        {FIGURE_IN_USE, totals.bytes},
        {FIGURE_IN_USE_BLOCKS, totals.blocks},
        {FIGURE_FREE, free},
        {FIGURE_METADATA, system - totals.bytes - free + arenas->entries * ENTRY_BYTES},
        {FIGURE_TRIMMABLE, totals.free_pools * arenas->pool_bytes},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(told); i++)
        heap_figures_set(figures, told[i].figure, told[i].value);
}

struct pool_walk {
    struct pymalloc_books *books;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    uint8_t bits[POOL_BLOCKS_MAX / 8]; // blocks that are free
};

// Copies a pool and finds out which of its blocks are free, again when its books do not agree. What
// does not agree in the end was skipped.
static bool look_at_pool(struct pool_walk *walk, const struct pymalloc_arena *arena,
                         uint64_t address, struct pool *pool)
{
    uint32_t doubtful = 0;
    bool known = false;
    for (int look = 0; look < LOOKS; look++) {
        known = copy_pool(walk->books, arena, address, pool, look);
        if (known && pool->count)
            doubtful = pool_free_blocks(pool, address, walk->books->copy, walk->bits);
        if (known && (!pool->count || !doubtful))
            return true;
    }
    walk->quality->resyncs++;
    walk->quality->skipped += known ? (uint64_t)doubtful * pool->size : pool->bytes;
    return known;
}

// Visits the blocks of a pool that are in use. False to end the walk. All are of one arena: those
// of pymalloc are pieces of one heap, and there are a thousand in a gigabyte.
static bool visit_pool(struct pool_walk *walk, uint64_t address, const struct pool *pool)
{
    for (uint32_t i = 0; pool->count && i < pool->carved; i++) {
        uint32_t offset = POOL_HEAD + i * pool->size;
        if (walk->bits[i / 8] >> i % 8 & 1)
            continue;
        const struct block block = {
            .address = address + offset,
            .usable = pool->size,
            .taken = pool->size,
            .have = pool->size < BLOCK_HEAD ? pool->size : BLOCK_HEAD,
            .bytes = walk->books->copy + offset,
        };
        if (!walk->visitor->visit(walk->visitor->context, &block))
            return false;
    }
    return true;
}

static void walk(void *state, const struct block_visitor *visitor, struct walk_quality *quality)
{
    struct pymalloc_books *books = state;
    struct pool_walk walk = {books, visitor, quality, {0}};
    struct pool pool;
    for (size_t i = 0; i < books->arenas.count; i++) {
        const struct pymalloc_arena *arena = &books->arenas.list[i];
        for (uint64_t at = arena->pools; at < arena->end; at += books->arenas.pool_bytes) {
            quality->walked += books->arenas.pool_bytes;
            if (look_at_pool(&walk, arena, at, &pool) && !visit_pool(&walk, at, &pool))
                return;
        }
    }
}

static void free_books(void *state)
{
    struct pymalloc_books *books = state;
    free(books->arenas.list);
    free(books);
}

const struct allocator allocator_pymalloc = {
    .name = "pymalloc",
    .find = find,
    .version = version,
    .count = count,
    .walk = walk,
    .free = free_books,
};
