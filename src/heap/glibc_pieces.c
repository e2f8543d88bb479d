// SPDX-License-Identifier: MIT
// Which arenas there are and where their chunks lie. Heaps are found where they may begin, by the
// arena that they name, and not by their chain: a damaged link then loses nothing else.
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/glibc.h"

#define HEAP_BYTES (64ull << 20)
#define HEAD_NEW 0x30u // bytes of heap_info; it got a member in glibc 2.35
#define HEAD_OLD 0x20u
#define PLACES_MAX 65536u // of a mapping that are looked at for a heap
#define PAGE 4096u
#define MAIN_GROWS (1ull << 30) // bytes that brk may add while a census goes on

static uint64_t heap_bytes(const struct glibc_books *books)
{
    return books->parameters.huge_page ? 4 * books->parameters.huge_page : HEAP_BYTES;
}

static bool arena_number(const struct glibc_books *books, uint64_t address, uint32_t *number)
{
    for (size_t i = 0; i < books->arena_count; i++) {
        *number = (uint32_t)i;
        if (books->arenas[i].address == address)
            return true;
    }
    return false;
}

static bool add_arena(struct glibc_books *books, uint64_t address)
{
    struct glibc_arena arena;
    if (books->arena_count >= ARENAS_MAX || !glibc_arena_read(books, address, &arena))
        return false;
    ARRAY_RESERVE(books->arenas, books->arena_count, books->arena_capacity);
    books->arenas[books->arena_count++] = arena;
    return true;
}

static void read_ring(struct glibc_books *books)
{
    uint32_t number;
    struct glibc_arena main;
    if (glibc_arena_read(books, books->arenas[0].address, &main))
        books->arenas[0] = main;
    books->arena_count = 1;
    for (size_t i = 0; i < books->arena_count; i++) {
        uint64_t next = books->arenas[i].next;
        if (arena_number(books, next, &number) || !add_arena(books, next))
            return;
    }
}

static void add_piece(struct glibc_books *books, struct glibc_piece piece)
{
    if (piece.end < CHUNK_LEAST || piece.start > piece.end - CHUNK_LEAST)
        return;
    ARRAY_RESERVE(books->pieces, books->piece_count, books->piece_capacity);
    books->pieces[books->piece_count++] = piece;
}

static uint64_t after_arena(const struct glibc_arena *arena)
{
    return (arena->bins + GLIBC_ARENA_BYTES + 15) & ~15ull;
}

// A heap of another arena begins with the address of its arena, the heap before it and its size.
static void try_heap(struct glibc_books *books, uint64_t base, const struct proc_map *map)
{
    uint64_t head[3];
    uint32_t number;
    if (!heap_view_read(&books->target->view, base, head, sizeof head))
        return;
    uint64_t offset = head[0] - base;
    bool own = offset == HEAD_NEW || offset == HEAD_OLD;
    if (!arena_number(books, head[0], &number)) {
        if (!own || !add_arena(books, head[0]))
            return;
        number = (uint32_t)books->arena_count - 1;
    }
    if (!number || head[2] < PAGE || head[2] % PAGE)
        return;
    if (own)
        books->heap_head = offset;
    const struct glibc_arena *arena = &books->arenas[number];
    uint64_t end = head[2] < map->end - base ? base + head[2] : map->end;
    bool grows = arena->top > base && arena->top < end;
    end = grows ? arena->top : end;
    add_piece(books, (struct glibc_piece){.start = own ? after_arena(arena) : base,
                                          .end = end,
                                          .arena = number,
                                          .grows = grows,
                                          .room = grows ? base + heap_bytes(books) - end : 0,
                                          .heap = base});
}

static bool is_anonymous(const struct proc_map *map)
{
    return map->readable && map->writable && !map->shared &&
           (!map->path[0] || strncmp(map->path, "/anon_hugepage", 14) == 0);
}

static void find_heaps(struct glibc_books *books)
{
    const struct regions *regions = &books->target->regions;
    uint64_t step = heap_bytes(books);
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        uint64_t base = (map->start + step - 1) & ~(step - 1);
        if (!is_anonymous(map))
            continue;
        for (unsigned n = 0; n < PLACES_MAX && base >= map->start && base < map->end; n++) {
            try_heap(books, base, map);
            base += step;
        }
    }
    for (size_t i = 0; i < books->piece_count; i++) // heaps behind an arena's first one
        if (books->pieces[i].start == books->pieces[i].heap)
            books->pieces[i].start += books->heap_head ? books->heap_head : HEAD_NEW;
}

// The heap that brk gives: from where it first gave memory to malloc up to the top.
static void find_main(struct glibc_books *books)
{
    const struct regions *regions = &books->target->regions;
    const struct glibc_arena *main = &books->arenas[0];
    struct glibc_piece piece = {0};
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        if (strcmp(map->path, "[heap]") != 0 || !map->writable)
            continue;
        if (!piece.start)
            piece.start = map->start;
        piece.end = map->end;
    }
    uint64_t base = books->parameters.sbrk_base;
    if (base > piece.start && base < piece.end)
        piece.start = (base + 15) & ~15ull;
    piece.grows = main->top >= piece.start && main->top < piece.end;
    piece.room = MAIN_GROWS;
    if (piece.grows)
        piece.end = main->top;
    add_piece(books, piece);
}

static bool has_heap(const struct glibc_books *books, const struct proc_map *map)
{
    for (size_t i = 0; i < books->piece_count; i++)
        if (books->pieces[i].start >= map->start && books->pieces[i].start < map->end)
            return true;
    return false;
}

// Where brk gave nothing more, the main arena has mappings that nothing lists. They begin with a
// chunk; the one that holds the top is among them.
static void find_others_of_main(struct glibc_books *books)
{
    const struct regions *regions = &books->target->regions;
    const struct glibc_arena *main = &books->arenas[0];
    const struct proc_map *top = heap_target_region(books->target, main->top);
    if (!main->noncontiguous && (!top || !is_anonymous(top)))
        return;
    for (size_t i = 0; i < regions->count; i++) {
        const struct proc_map *map = &regions->list[i];
        struct glibc_piece piece = {.start = map->start, .end = map->end};
        if (is_anonymous(map) && !has_heap(books, map) &&
            (map == top || glibc_is_chain(books, &piece, map->start)))
            add_piece(books, piece);
    }
}

static int compare(const void *left, const void *right)
{
    const struct glibc_piece *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

void glibc_pieces_read(struct glibc_books *books)
{
    books->piece_count = 0;
    read_ring(books);
    find_heaps(books);
    find_main(books);
    find_others_of_main(books);
    if (books->piece_count)
        qsort(books->pieces, books->piece_count, sizeof *books->pieces, compare);
}
