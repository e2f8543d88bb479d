// SPDX-License-Identifier: MIT
#include "heap/tcmalloc_caches.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGE 4096u
#define KEPT_PAGES 1024u   // that lists are followed through
#define THREADS_MOST 65536u
#define LISTED_MOST 65536u // blocks of one list
#define TRIES_MOST 65536u  // words of the data that may lead to a cache
#define SLOTS 64u          // chains of a central cache

struct thread_list { // free blocks of one size class
    uint64_t first;
    uint32_t length, low_water, max_length, overages;
    int32_t size, unused;
};

struct thread_cache {
    struct thread_list lists[TCMALLOC_CLASSES];
    uint64_t unused[6];
    uint64_t next, before; // caches
};

struct central_cache {
    uint64_t lock, size_class, unused[14];
    struct {
        uint64_t first, last;
    } chains[SLOTS];
    int32_t used, size, most, unused_too;
    uint64_t padding[6];
};

// Lists lead from page to page and back: pages that were read are kept.
struct kept_page {
    uint64_t address;
    bool there;
    uint64_t words[PAGE / 8];
};

struct cache_walk {
    const struct tcmalloc_tree *tree;
    struct tcmalloc_caches *caches;
    struct kept_page *pages; // [KEPT_PAGES], by address
    size_t tries;
};

// Returns the word at the address; 0 when it is not there.
static uint64_t word_at(struct cache_walk *walk, uint64_t address)
{
    uint64_t start = address & ~(uint64_t)(PAGE - 1);
    struct kept_page *page = &walk->pages[start / PAGE % KEPT_PAGES];
    if (page->address != start) {
        page->address = start;
        page->there = heap_target_region(walk->tree->target, start) &&
                      heap_view_read(&walk->tree->target->view, start, page->words, PAGE);
    }
    return page->there ? page->words[address % PAGE / 8] : 0;
}

static void forget_pages(struct cache_walk *walk)
{
    for (size_t i = 0; i < KEPT_PAGES; i++)
        walk->pages[i].address = UINT64_MAX;
}

// Adds the blocks of a list, which ends behind `last`, or after `most`.
static void follow(struct cache_walk *walk, uint64_t first, uint64_t last, uint64_t most,
                   struct address_list *blocks)
{
    uint64_t at = first;
    for (uint64_t count = 0; at && at % 8 == 0 && count < most; count++) {
        address_list_add(blocks, at);
        at = at == last ? 0 : word_at(walk, at);
    }
}

static void add_blocks(struct tcmalloc_caches *caches, const struct address_list *blocks)
{
    for (size_t i = 0; i < blocks->count; i++)
        address_list_add(&caches->blocks, blocks->list[i]);
}

static void keep_common(struct address_list *blocks, const struct address_list *sorted)
{
    size_t kept = 0;
    for (size_t i = 0; i < blocks->count; i++) {
        size_t at = address_list_from(sorted, blocks->list[i]);
        if (at < sorted->count && sorted->list[at] == blocks->list[i])
            blocks->list[kept++] = blocks->list[i];
    }
    blocks->count = kept;
}

// ---------------------------------------------------------------- threads

static bool read_thread(struct cache_walk *walk, uint64_t at, struct thread_cache *cache)
{
    const struct tcmalloc_tree *tree = walk->tree;
    if (!at || at % 8 || !heap_target_region(tree->target, at) ||
        !heap_view_read(&tree->target->view, at, cache, sizeof *cache))
        return false;
    for (size_t i = 0; i < tree->classes; i++)
        if ((uint32_t)cache->lists[i].size != tree->sizes[i])
            return false;
    return true;
}

// Takes what a list holds. One that changes while it is followed may lead anywhere: of such a one
// only what two looks agree on is taken for free.
static void take_list(struct cache_walk *walk, uint64_t at, const struct thread_list *list)
{
    struct heap_view *view = &walk->tree->target->view;
    struct address_list blocks = {0}, second = {0};
    struct thread_list again;
    follow(walk, list->first, 0, list->length, &blocks);
    if (!heap_view_read(view, at, &again, sizeof again)) {
        blocks.count = 0;
    } else if (again.first != list->first) {
        forget_pages(walk);
        follow(walk, again.first, 0, again.length < LISTED_MOST ? again.length : 0, &second);
        address_list_sort(&second);
        keep_common(&blocks, &second);
    }
    add_blocks(walk->caches, &blocks);
    address_list_fini(&blocks);
    address_list_fini(&second);
}

static void take_thread(struct cache_walk *walk, uint64_t at, const struct thread_cache *cache)
{
    const struct tcmalloc_tree *tree = walk->tree;
    forget_pages(walk);
    for (size_t i = 1; i < tree->classes; i++) {
        const struct thread_list *list = &cache->lists[i];
        if (!list->first || list->length > LISTED_MOST)
            continue;
        take_list(walk, at + i * sizeof *list, list);
        walk->caches->bytes += (uint64_t)list->length * tree->sizes[i];
        walk->caches->count += list->length;
    }
}

static bool take_threads(struct cache_walk *walk, uint64_t first)
{
    struct thread_cache cache;
    uint64_t at = first, before = 0;
    size_t count = 0;
    for (; count < THREADS_MOST && read_thread(walk, at, &cache) && cache.before == before; count++) {
        take_thread(walk, at, &cache);
        before = at;
        at = cache.next;
    }
    return count;
}

// ---------------------------------------------------------------- central ones

static bool is_central(struct cache_walk *walk, uint64_t at, uint64_t number)
{
    uint64_t size_class;
    return heap_view_read(&walk->tree->target->view, at + 8, &size_class, 8) &&
           size_class == number;
}

static void take_chains(struct cache_walk *walk, const struct central_cache *cache,
                        uint32_t block_size)
{
    struct address_list blocks = {0};
    for (int32_t i = 0; i < cache->used && i < (int32_t)SLOTS; i++)
        follow(walk, cache->chains[i].first, cache->chains[i].last, LISTED_MOST, &blocks);
    walk->caches->bytes += blocks.count * block_size;
    walk->caches->count += blocks.count;
    add_blocks(walk->caches, &blocks);
    address_list_fini(&blocks);
}

// Takes the central caches of which that of class 1 lies at the address.
static bool take_central(struct cache_walk *walk, uint64_t at)
{
    const struct tcmalloc_tree *tree = walk->tree;
    struct central_cache cache;
    for (uint64_t i = 1; i < tree->classes; i++)
        if (!is_central(walk, at + (i - 1) * sizeof cache, i))
            return false;
    forget_pages(walk);
    for (uint64_t i = 1; i < tree->classes; i++, at += sizeof cache)
        if (heap_view_read(&tree->target->view, at, &cache, sizeof cache))
            take_chains(walk, &cache, tree->sizes[i]);
    return true;
}

// ---------------------------------------------------------------- looking for them

static void try_word(struct cache_walk *walk, uint64_t at, uint64_t word)
{
    struct tcmalloc_caches *caches = walk->caches;
    const struct heap_target *target = walk->tree->target;
    if (!caches->central && word == 1 && walk->tries) {
        walk->tries--;
        caches->central = take_central(walk, at - 8);
    }
    if (!caches->threads && word > PAGE && word % 64 == 0 && walk->tries &&
        heap_target_region(target, word)) {
        walk->tries--;
        caches->threads = take_threads(walk, word);
    }
}

static void look(struct cache_walk *walk)
{
    struct heap_view *view = &walk->tree->target->view;
    uint64_t at = walk->tree->radix.data, end = walk->tree->radix.data_end;
    for (; (at = heap_view_next_present(view, at, end)) < end; at += PAGE) {
        const uint64_t *words = heap_view_window(view, at, PAGE, end);
        for (size_t i = 0; words && i < PAGE / 8; i++)
            try_word(walk, at + i * 8, words[i]);
    }
}

void tcmalloc_caches_read(struct tcmalloc_caches *caches, const struct tcmalloc_tree *tree)
{
    struct cache_walk walk = {.tree = tree, .caches = caches, .tries = TRIES_MOST};
    *caches = (struct tcmalloc_caches){0};
    walk.pages = xmalloc(KEPT_PAGES * sizeof *walk.pages);
    look(&walk);
    free(walk.pages);
    address_list_sort(&caches->blocks);
}

void tcmalloc_caches_fini(struct tcmalloc_caches *caches)
{
    address_list_fini(&caches->blocks);
}
