// SPDX-License-Identifier: MIT
// jemalloc, releases 5.2 and 5.3, with or without symbols. Its blocks in use are the regions of
// slabs that are not free and the large blocks, less those that caches of threads hold.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/allocator.h"
#include "heap/jemalloc_base.h"
#include "heap/jemalloc_extents.h"
#include "heap/version_text.h"

struct jemalloc_totals { // bytes, but for blocks
    uint64_t in_use, blocks, free; // free: regions of slabs
    uint64_t states[4];            // of extents
    bool arenas[4096];
};

struct jemalloc_books {
    struct jemalloc_tree tree;
    struct jemalloc_base base;
    struct jemalloc_totals totals;
    char version[32];
};

static void add_extent(struct jemalloc_totals *totals, const struct extent *extent)
{
    uint64_t size = jemalloc_class_size(extent->size_class);
    if (extent->state > EXTENT_RETAINED)
        return;
    totals->states[extent->state] += extent->size;
    totals->arenas[extent->arena % ARRAY_LENGTH(totals->arenas)] = true;
    if (extent->state != EXTENT_ACTIVE)
        return;
    uint64_t used = extent->slab ? extent->size / size - extent->free : 1;
    totals->blocks += used;
    totals->in_use += used * size;
    totals->free += extent->slab ? extent->free * size : 0;
}

// Adds up all extents, and finds the bases that their descriptions lie in.
static void add_all(struct jemalloc_books *books)
{
    for (size_t i = 0; i < books->tree.radix.count; i++) {
        struct leaf_extents extents;
        jemalloc_extents_read(&extents, &books->tree, &books->tree.radix.leaves[i]);
        for (size_t k = 0; k < extents.count; k++)
            add_extent(&books->totals, &extents.list[k]);
        for (size_t k = 0; k < extents.described.count; k++)
            jemalloc_base_add(&books->base, books->tree.target, extents.described.list[k]);
        jemalloc_extents_fini(&extents);
    }
}

// Reads "5.3.0" of "5.3.0-0-g54eaed1d8b56b1aa528be3bdd1877e59c56fa90c", at its "-g".
static bool read_version(const char *at, const char *start, const char *end, char *text,
                         size_t size)
{
    static const char hex[] = "0123456789abcdef";
    const char *first = at;
    if (end - at < 42 || strspn(at + 2, hex) != 40)
        return false;
    while (first > start && memchr("0123456789.-", first[-1], 12))
        first--;
    return version_text_digits(first, at, text, size);
}

static bool is_jemalloc(const struct heap_target *target)
{
    for (size_t i = 0; i < target->regions.count; i++)
        if (strstr(target->regions.list[i].path, "libjemalloc"))
            return true;
    return false;
}

static void *find(struct heap_target *target, struct buf *why)
{
    struct jemalloc_books *books = xcalloc(1, sizeof *books);
    if (jemalloc_tree_find(&books->tree, target)) {
        version_text_find(target, books->tree.radix.root, "-g", read_version, books->version,
                          sizeof books->version);
        add_all(books);
        return books;
    }
    if (is_jemalloc(target) || books->tree.radix.data)
        buf_puts(why, "jemalloc: its library or its messages are there, but no radix tree in the "
                      "data leads to extents as releases 5.2 and 5.3 describe them\n");
    jemalloc_tree_fini(&books->tree);
    free(books);
    return NULL;
}

static void version(const void *state, char *text, size_t size)
{
    const struct jemalloc_books *books = state;
    bool known = *books->version && strcmp(books->version, "0.0.0") != 0; // built without git
    snprintf(text, size, "%s", known ? books->version : books->tree.layout->releases);
}

// ---------------------------------------------------------------- what the books say

static void say_base(struct heap_figures *figures, const struct jemalloc_totals *totals,
                     const struct jemalloc_base *base)
{
    static const char *const why = "the blocks of jemalloc's own books do not add up";
    uint64_t mapped = base->mapped;
    for (size_t i = 0; i < EXTENT_RETAINED; i++) // what is retained has gone back to the kernel
        mapped += totals->states[i];
    if (base->oldest.count && !base->unknown) {
        heap_figures_set(figures, FIGURE_SYSTEM, mapped);
        heap_figures_set(figures, FIGURE_METADATA, base->used);
    } else {
        heap_figures_unknown(figures, FIGURE_SYSTEM, why);
        heap_figures_unknown(figures, FIGURE_METADATA, why);
    }
}

static void say(struct heap_figures *figures, const struct jemalloc_totals *totals,
                const struct jemalloc_caches *caches)
{
    uint64_t arenas = 0, pages = totals->states[EXTENT_DIRTY] + totals->states[EXTENT_MUZZY];
    for (size_t i = 0; i < ARRAY_LENGTH(totals->arenas); i++)
        arenas += totals->arenas[i];
    uint64_t cached = caches->bytes < totals->in_use ? caches->bytes : totals->in_use;
    uint64_t blocks = caches->blocks.count;
    heap_figures_set(figures, FIGURE_ARENAS, arenas);
    heap_figures_set(figures, FIGURE_IN_USE, totals->in_use - cached);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS,
                     totals->blocks - (blocks < totals->blocks ? blocks : totals->blocks));
    heap_figures_set(figures, FIGURE_FREE, totals->free + cached + pages);
    heap_figures_set(figures, FIGURE_TRIMMABLE, pages);
    if (caches->count)
        heap_figures_set(figures, FIGURE_CACHED, cached);
    else
        heap_figures_unknown(figures, FIGURE_CACHED, "the caches of threads were not found: what "
                                                     "they hold counts as in use");
    heap_figures_unknown(figures, FIGURE_MAPPED, "jemalloc gives no block a mapping of its own");
    heap_figures_unknown(figures, FIGURE_MAPPED_BLOCKS,
                         "jemalloc gives no block a mapping of its own");
}

static void count(void *state, struct heap_figures *figures)
{
    const struct jemalloc_books *books = state;
    struct jemalloc_caches caches;
    jemalloc_caches_read(&caches, &books->base, books->tree.target);
    say_base(figures, &books->totals, &books->base);
    say(figures, &books->totals, &caches);
    jemalloc_caches_fini(&caches);
}

// ---------------------------------------------------------------- its blocks

struct jemalloc_walk {
    struct heap_view *view;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    const struct jemalloc_caches *caches;
};

// Visits a block. Of what is not there the program has not touched anything: it holds no bytes.
static bool visit(const struct jemalloc_walk *walk, const struct extent *extent, uint64_t address,
                  uint64_t size)
{
    size_t have = size < BLOCK_HEAD ? size : BLOCK_HEAD;
    uint64_t limit = (extent->address & ~(uint64_t)(JEMALLOC_PAGE - 1)) + extent->size;
    limit = limit - address < size ? address + size : limit;
    const void *bytes = heap_view_held(walk->view, address, have);
    bytes = bytes ? bytes : heap_view_window(walk->view, address, have, limit);
    return walk->visitor->visit(walk->visitor->context,
                                &(struct block){.address = address, .usable = size, .taken = size,
                                                .arena = extent->arena, .have = bytes ? have : 0,
                                                .bytes = bytes});
}

// Visits the regions of a slab that are not free and not in a cache.
static bool walk_slab(const struct jemalloc_walk *walk, const struct extent *extent)
{
    const struct address_list *cached = &walk->caches->blocks;
    uint64_t size = jemalloc_class_size(extent->size_class), end = extent->address + extent->size;
    size_t next = address_list_from(cached, extent->address);
    for (uint64_t at = extent->address, i = 0; at < end; at += size, i++) {
        while (next < cached->count && cached->list[next] < at)
            next++;
        bool is_cached = next < cached->count && cached->list[next] == at;
        if (!(extent->map[i / 64] >> i % 64 & 1) && !is_cached && !visit(walk, extent, at, size))
            return false;
    }
    return true;
}

static bool walk_extent(const struct jemalloc_walk *walk, const struct extent *extent)
{
    const struct address_list *cached = &walk->caches->blocks;
    if (extent->state != EXTENT_ACTIVE)
        return true;
    walk->quality->walked += extent->size;
    walk->quality->resyncs += extent->torn;
    if (extent->slab)
        return walk_slab(walk, extent);
    size_t at = address_list_from(cached, extent->address);
    return (at < cached->count && cached->list[at] == extent->address) ||
           visit(walk, extent, extent->address, jemalloc_class_size(extent->size_class));
}

static bool walk_leaf(const struct jemalloc_walk *walk, const struct jemalloc_tree *tree,
                      const struct radix_leaf *leaf)
{
    struct leaf_extents extents;
    jemalloc_extents_read(&extents, tree, leaf);
    walk->quality->resyncs += extents.damaged;
    walk->quality->skipped += extents.damaged * JEMALLOC_PAGE;
    bool on = true;
    for (size_t i = 0; i < extents.count && on; i++)
        on = walk_extent(walk, &extents.list[i]);
    jemalloc_extents_fini(&extents);
    return on;
}

static void walk(void *state, const struct block_visitor *visitor, struct walk_quality *quality)
{
    const struct jemalloc_books *books = state;
    struct jemalloc_caches caches;
    jemalloc_caches_read(&caches, &books->base, books->tree.target);
    const struct jemalloc_walk all = {&books->tree.target->view, visitor, quality, &caches};
    for (size_t i = 0; i < books->tree.radix.count; i++)
        if (!walk_leaf(&all, &books->tree, &books->tree.radix.leaves[i]))
            break;
    jemalloc_caches_fini(&caches);
}

static void free_books(void *state)
{
    struct jemalloc_books *books = state;
    jemalloc_tree_fini(&books->tree);
    jemalloc_base_fini(&books->base);
    free(books);
}

const struct allocator allocator_jemalloc = {
    .name = "jemalloc",
    .by_arena = true,
    .find = find,
    .version = version,
    .count = count,
    .walk = walk,
    .free = free_books,
};
