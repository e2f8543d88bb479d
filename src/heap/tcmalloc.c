// SPDX-License-Identifier: MIT
// tcmalloc of gperftools, with or without symbols. Its blocks in use are the large ones, and the
// small ones that are neither on the list of their span nor in a cache.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heap/allocator.h"
#include "heap/tcmalloc_caches.h"
#include "heap/tcmalloc_spans.h"
#include "heap/version_text.h"

#define PAGE 4096u
#define READS_MOST 3u         // of a span that changes meanwhile
#define SPAN_MOST (1u << 20)  // bytes of a span of small blocks

struct tcmalloc_books {
    struct tcmalloc_tree tree;
    struct tcmalloc_places places;
    char version[32];
};

// ---------------------------------------------------------------- where they are

// Reads "2.10" of "gperftools 2.10".
static bool read_version(const char *at, const char *start, const char *end, char *text,
                         size_t size)
{
    (void)start;
    return version_text_digits(at + strlen("gperftools "), end, text, size);
}

// Says what signs there are of a tcmalloc whose books are not read.
static void say_signs(struct heap_target *target, const struct tcmalloc_tree *tree,
                      struct buf *why)
{
    static const char *const names[] = {"_ZN8tcmalloc17tcmalloc_internal10tc_globalsE",
                                        "_ZN8tcmalloc17tcmalloc_internal6Static8pagemap_E"};
    uint64_t address, size;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (heap_target_variable(target, NULL, names[i], &address, &size)) {
            buf_printf(why, "tcmalloc: %s is that of Google's own, whose books are not read\n",
                       names[i]);
            return;
        }
    bool is_there = tree->radix.data;
    for (size_t i = 0; i < target->regions.count; i++)
        is_there |= strstr(target->regions.list[i].path, "libtcmalloc") != NULL;
    if (is_there)
        buf_printf(why, "tcmalloc: its library or its table of sizes is there, but no %s\n",
                   tree->radix.data
                       ? "radix tree in the data leads to spans as gperftools describes them"
                       : "data has that table and room for a radix tree as gperftools has them");
}

static void *find(struct heap_target *target, struct buf *why)
{
    struct tcmalloc_books *books = xcalloc(1, sizeof *books);
    if (tcmalloc_tree_find(&books->tree, target)) {
        version_text_find(target, books->tree.radix.root, "gperftools ", read_version,
                          books->version, sizeof books->version);
        tcmalloc_places_find(&books->places, &books->tree);
        return books;
    }
    say_signs(target, &books->tree, why);
    tcmalloc_tree_fini(&books->tree);
    free(books);
    return NULL;
}

static void version(const void *state, char *text, size_t size)
{
    const struct tcmalloc_books *books = state;
    snprintf(text, size, "%s", books->version);
}

// ---------------------------------------------------------------- what the books say

struct tcmalloc_totals { // bytes, but for blocks
    uint64_t in_use, blocks, free; // those in caches are in use
    uint64_t locations[SPAN_RETURNED + 1];
};

static void add_span(struct tcmalloc_totals *totals, const struct tcmalloc_tree *tree,
                     const struct page_span *span)
{
    uint64_t bytes = span->length << TCMALLOC_PAGE_SHIFT;
    uint64_t blocks = tcmalloc_span_blocks(tree, span);
    totals->locations[span->location] += bytes;
    if (span->location != SPAN_IN_USE || (span->size_class && !blocks))
        return;
    if (!span->size_class) {
        totals->in_use += bytes;
        totals->blocks++;
        return;
    }
    totals->in_use += (uint64_t)span->used * tree->sizes[span->size_class];
    totals->blocks += span->used;
    totals->free += (blocks - span->used) * tree->sizes[span->size_class];
}

static void say(struct heap_figures *figures, const struct tcmalloc_totals *totals,
                const struct tcmalloc_caches *caches, const struct tcmalloc_places *places)
{
    static const char *const none = "tcmalloc gives no block a mapping of its own";
    uint64_t cached = caches->bytes < totals->in_use ? caches->bytes : totals->in_use;
    uint64_t blocks = caches->count < totals->blocks ? caches->count : totals->blocks;
    uint64_t pages = totals->locations[SPAN_FREE];
    heap_figures_set(figures, FIGURE_ARENAS, 1);
    heap_figures_set(figures, FIGURE_SYSTEM, totals->locations[SPAN_IN_USE] + pages);
    heap_figures_set(figures, FIGURE_IN_USE, totals->in_use - cached);
    heap_figures_set(figures, FIGURE_IN_USE_BLOCKS, totals->blocks - blocks);
    heap_figures_set(figures, FIGURE_FREE, totals->free + cached + pages);
    heap_figures_set(figures, FIGURE_TRIMMABLE, pages);
    if (places->threads && places->central)
        heap_figures_set(figures, FIGURE_CACHED, cached);
    else
        heap_figures_unknown(figures, FIGURE_CACHED, "not all caches were found: what the others "
                                                     "hold counts as in use");
    heap_figures_unknown(figures, FIGURE_MAPPED, none);
    heap_figures_unknown(figures, FIGURE_MAPPED_BLOCKS, none);
    heap_figures_unknown(figures, FIGURE_METADATA, "tcmalloc counts it in no place that is known");
}

static void count(void *state, struct heap_figures *figures)
{
    const struct tcmalloc_books *books = state;
    struct tcmalloc_caches caches;
    struct tcmalloc_totals totals = {0};
    tcmalloc_caches_read(&caches, &books->tree, &books->places);
    for (size_t i = 0; i < books->tree.radix.count; i++) {
        struct leaf_spans spans;
        tcmalloc_spans_read(&spans, &books->tree, &books->tree.radix.leaves[i]);
        for (size_t k = 0; k < spans.count; k++)
            add_span(&totals, &books->tree, &spans.list[k]);
        free(spans.list);
    }
    say(figures, &totals, &caches, &books->places);
    tcmalloc_caches_fini(&caches);
}

// ---------------------------------------------------------------- its blocks

struct tcmalloc_walk {
    const struct tcmalloc_tree *tree;
    const struct block_visitor *visitor;
    struct walk_quality *quality;
    struct tcmalloc_caches caches;
    uint64_t free[TCMALLOC_OBJECTS / 64]; // bits of the blocks of the span that is walked
    unsigned char copy[SPAN_MOST];        // of one that cannot be looked at as it lies
};

// Marks the blocks on the list of a span; false when they are not as many as it says.
static bool mark_free(struct tcmalloc_walk *walk, const struct page_span *span, uint64_t blocks,
                      const unsigned char *bytes)
{
    uint64_t size = walk->tree->sizes[span->size_class], marked = 0;
    uint64_t base = span->start << TCMALLOC_PAGE_SHIFT;
    memset(walk->free, 0, (blocks + 63) / 64 * 8);
    for (uint64_t at = span->objects; at; marked++) {
        uint64_t number = (at - base) / size;
        if (at < base || number >= blocks || (at - base) % size ||
            walk->free[number / 64] >> number % 64 & 1)
            return false;
        walk->free[number / 64] |= 1ull << number % 64;
        memcpy(&at, bytes + (at - base), sizeof at);
    }
    return marked == blocks - span->used;
}

static void mark_cached(struct tcmalloc_walk *walk, const struct page_span *span, uint64_t blocks)
{
    const struct address_list *cached = &walk->caches.blocks;
    uint64_t size = walk->tree->sizes[span->size_class];
    uint64_t base = span->start << TCMALLOC_PAGE_SHIFT;
    for (size_t i = address_list_from(cached, base);
         i < cached->count && cached->list[i] < base + blocks * size; i++) {
        uint64_t number = (cached->list[i] - base) / size;
        if ((cached->list[i] - base) % size == 0)
            walk->free[number / 64] |= 1ull << number % 64;
    }
}

static bool visit_blocks(const struct tcmalloc_walk *walk, const struct page_span *span,
                         uint64_t blocks, const unsigned char *bytes)
{
    uint64_t size = walk->tree->sizes[span->size_class];
    uint64_t base = span->start << TCMALLOC_PAGE_SHIFT;
    for (uint64_t i = 0; i < blocks; i++)
        if (!(walk->free[i / 64] >> i % 64 & 1) &&
            !walk->visitor->visit(walk->visitor->context,
                                  &(struct block){.address = base + i * size, .usable = size,
                                                  .taken = size, .bytes = bytes + i * size,
                                                  .have = size < BLOCK_HEAD ? size : BLOCK_HEAD}))
            return false;
    return true;
}

// Copies a span page by page. Pages that are not there have not been touched: they are zero, and no
// block that is free begins in one.
static const unsigned char *copy_span(struct tcmalloc_walk *walk, const struct page_span *span)
{
    uint64_t base = span->start << TCMALLOC_PAGE_SHIFT;
    uint64_t length = span->length << TCMALLOC_PAGE_SHIFT;
    for (uint64_t at = 0; at < length; at += PAGE)
        if (!heap_view_read(&walk->tree->target->view, base + at, walk->copy + at, PAGE))
            memset(walk->copy + at, 0, PAGE);
    return walk->copy;
}

// Walks a span of small blocks, which is read again when its list does not fit: it has changed
// meanwhile.
static bool walk_small(struct tcmalloc_walk *walk, struct page_span *span)
{
    uint64_t base = span->start << TCMALLOC_PAGE_SHIFT;
    uint64_t length = span->length << TCMALLOC_PAGE_SHIFT;
    uint64_t blocks = tcmalloc_span_blocks(walk->tree, span);
    const struct proc_map *map = heap_target_region(walk->tree->target, base);
    if (!blocks || !map || map->end - base < length || length > SPAN_MOST) {
        walk->quality->skipped += length;
        return true;
    }
    const unsigned char *bytes =
        heap_view_window(&walk->tree->target->view, base, length, map->end);
    bytes = bytes ? bytes : copy_span(walk, span);
    for (unsigned reads = 1; !mark_free(walk, span, blocks, bytes) && reads < READS_MOST; reads++) {
        if (!tcmalloc_span_again(walk->tree, span) || span->used > blocks) {
            walk->quality->skipped += length;
            return true;
        }
        walk->quality->resyncs += reads + 1 == READS_MOST;
        bytes = copy_span(walk, span);
    }
    mark_cached(walk, span, blocks);
    return visit_blocks(walk, span, blocks, bytes);
}

static bool walk_large(const struct tcmalloc_walk *walk, const struct page_span *span)
{
    uint64_t base = span->start << TCMALLOC_PAGE_SHIFT;
    uint64_t length = span->length << TCMALLOC_PAGE_SHIFT;
    const void *bytes =
        heap_view_window(&walk->tree->target->view, base, BLOCK_HEAD, base + length);
    return walk->visitor->visit(walk->visitor->context,
                                &(struct block){.address = base, .usable = length, .taken = length,
                                                .have = bytes ? BLOCK_HEAD : 0, .bytes = bytes});
}

static bool walk_leaf(struct tcmalloc_walk *walk, const struct radix_leaf *leaf)
{
    struct leaf_spans spans;
    bool on = true;
    tcmalloc_spans_read(&spans, walk->tree, leaf);
    for (size_t i = 0; i < spans.count && on; i++) {
        struct page_span *span = &spans.list[i];
        if (span->location != SPAN_IN_USE)
            continue;
        walk->quality->walked += span->length << TCMALLOC_PAGE_SHIFT;
        on = span->size_class ? walk_small(walk, span) : walk_large(walk, span);
    }
    free(spans.list);
    return on;
}

static void walk(void *state, const struct block_visitor *visitor, struct walk_quality *quality)
{
    const struct tcmalloc_books *books = state;
    AUTO_FREE struct tcmalloc_walk *walk = xcalloc(1, sizeof *walk);
    walk->tree = &books->tree;
    walk->visitor = visitor;
    walk->quality = quality;
    tcmalloc_caches_read(&walk->caches, &books->tree, &books->places);
    for (size_t i = 0; i < books->tree.radix.count; i++)
        if (!walk_leaf(walk, &books->tree.radix.leaves[i]))
            break;
    tcmalloc_caches_fini(&walk->caches);
}

static void free_books(void *state)
{
    struct tcmalloc_books *books = state;
    tcmalloc_tree_fini(&books->tree);
    free(books);
}

const struct allocator allocator_tcmalloc = {
    .name = "tcmalloc",
    .find = find,
    .version = version,
    .count = count,
    .walk = walk,
    .free = free_books,
};
