// SPDX-License-Identifier: MIT
// glibc's malloc as an allocator: what its books say, and its blocks.
#include "heap/glibc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BIN_STEPS_MAX 200000u // free chunks that are followed for a figure
#define BINS 127u
#define PAGE 4096u

static void free_books(void *state)
{
    struct glibc_books *books = state;
    glibc_caches_free(&books->caches);
    free(books->arenas);
    free(books->pieces);
    free(books);
}

static void *find(struct heap_target *target, struct buf *why)
{
    struct glibc_books *books = xcalloc(1, sizeof *books);
    books->target = target;
    if (glibc_find(books, why))
        glibc_pieces_read(books);
    bool used = books->parameters.mapped_blocks > 0;
    for (size_t i = 0; i < books->arena_count; i++)
        used |= books->arenas[i].system > 0;
    if (used)
        return books;
    free_books(books); // another allocator has taken its place
    return NULL;
}

static void version(const void *state, char *text, size_t size)
{
    const struct glibc_books *books = state;
    snprintf(text, size, "%s", books->version_text);
}

struct free_sums {
    uint64_t free, trimmable;
    unsigned steps;
};

// A chunk may be anything by the time it is looked at; one lies within its mapping.
static bool is_within(const struct glibc_books *books, uint64_t at, uint64_t size)
{
    const struct proc_map *map = heap_target_region(books->target, at);
    return map && size >= CHUNK_LEAST && size <= map->end - at;
}

// Follows the chunks of one bin, as far as each leads back to the one before it.
static bool sum_bin(struct glibc_books *books, uint64_t bin, uint64_t first,
                    struct free_sums *sums)
{
    struct heap_view *view = &books->target->view;
    uint64_t before = bin, chunk[4], at = first;
    while (at != bin) {
        if (++sums->steps > BIN_STEPS_MAX || !heap_view_read(view, at, chunk, sizeof chunk))
            return false;
        uint64_t size = chunk[1] & ~(uint64_t)CHUNK_FLAGS;
        if (chunk[3] != before || !is_within(books, at, size))
            return false;
        sums->free += size;
        if (size > PAGE)
            sums->trimmable += heap_view_present(view, at + 48, at + size);
        before = at;
        at = chunk[2];
    }
    return true;
}

static bool sum_arena(struct glibc_books *books, const struct glibc_arena *arena,
                      struct free_sums *sums)
{
    uint64_t top[2], bins[BINS][2];
    if (!heap_view_read(&books->target->view, arena->bins, bins, sizeof bins))
        return false;
    for (unsigned k = 0; k < BINS; k++)
        if (!sum_bin(books, arena->bins + 16 * k - CHUNK_HEAD, bins[k][0], sums))
            return false;
    if (arena->top == arena->bins - CHUNK_HEAD) // it has no chunk yet
        return true;
    if (!heap_view_read(&books->target->view, arena->top, top, sizeof top))
        return false;
    uint64_t size = top[1] & ~(uint64_t)CHUNK_FLAGS;
    if (!is_within(books, arena->top, size))
        return false;
    sums->free += size;
    if (arena == books->arenas)
        sums->trimmable += heap_view_present(&books->target->view, arena->top + CHUNK_LEAST,
                                             arena->top + size);
    return true;
}

// What arenas and bins say, without a walk: what caches of threads hold counts as in use.
static void count_free(struct glibc_books *books, uint64_t system, struct heap_figures *figures)
{
    static const char many[] = "there are too many free blocks to follow, or they change too fast";
    struct free_sums sums = {0};
    for (size_t i = 0; i < books->arena_count; i++)
        if (!sum_arena(books, &books->arenas[i], &sums)) {
            heap_figures_unknown(figures, FIGURE_TRIMMABLE, many);
            heap_figures_unknown(figures, FIGURE_FREE, many);
            heap_figures_unknown(figures, FIGURE_IN_USE, many);
            return;
        }
    heap_figures_set(figures, FIGURE_TRIMMABLE, sums.trimmable);
    heap_figures_set(figures, FIGURE_FREE, sums.free);
    if (sums.free <= system)
        heap_figures_set(figures, FIGURE_IN_USE, system - sums.free);
}

static void count_walked(const struct glibc_books *books, uint64_t system,
                         struct heap_figures *figures)
{
    const struct glibc_sums *sums = &books->sums;
    uint64_t in_use = sums->bytes + sums->mapped_bytes, used = in_use + sums->metadata;
    heap_figures_set(figures, FIGURE_IN_USE, in_use);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS, sums->blocks + sums->mapped_blocks);
    heap_figures_set(figures, FIGURE_CACHED, sums->cached);
    heap_figures_set(figures, FIGURE_METADATA, sums->metadata);
    heap_figures_set(figures, FIGURE_FREE, used < system ? system - used : 0);
}

static void count(void *state, struct heap_figures *figures)
{
    static const char walk[] = "only a walk through all blocks tells";
    struct glibc_books *books = state;
    uint64_t system = books->parameters.mapped_bytes;
    for (size_t i = 0; i < books->arena_count; i++)
        system += books->arenas[i].system;
    heap_figures_set(figures, FIGURE_ARENAS, books->arena_count);
    heap_figures_set(figures, FIGURE_SYSTEM, system);
    if (books->parameters.address) {
        heap_figures_set(figures, FIGURE_MAPPED, books->parameters.mapped_bytes);
        heap_figures_set(figures, FIGURE_MAPPED_BLOCKS, books->parameters.mapped_blocks);
    }
    heap_figures_unknown(figures, FIGURE_IN_USE_BLOCKS, walk);
    heap_figures_unknown(figures, FIGURE_CACHED, walk);
    heap_figures_unknown(figures, FIGURE_METADATA, walk);
    count_free(books, system, figures);
    if (books->sums.known)
        count_walked(books, system, figures);
}

static void walk(void *state, const struct block_visitor *visitor, struct walk_quality *quality)
{
    struct glibc_books *books = state;
    bool going = true;
    glibc_caches_read(books);
    books->sums = (struct glibc_sums){.metadata = books->arena_count * GLIBC_ARENA_BYTES};
    for (size_t i = 0; i < books->piece_count && going; i++)
        going = glibc_walk_piece(books, &books->pieces[i], &books->caches, visitor, quality);
    if (going)
        going = glibc_walk_mapped(books, visitor, quality);
    books->sums.known = going;
}

const struct allocator allocator_glibc = {
    .name = "glibc",
    .by_arena = true,
    .find = find,
    .version = version,
    .count = count,
    .walk = walk,
    .free = free_books,
};
