// SPDX-License-Identifier: MIT
#include "heap/tcmalloc_caches.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGE 4096u
#define KEPT_PAGES 256u     // that lists are followed through
#define THREADS_MOST 65536u
#define LISTED_MOST 65536u // blocks of one list
#define TRIES_MOST 4096u   // words of the data that seem to lead to a cache
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
    size_t left;             // blocks that may still be followed
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
    for (uint64_t count = 0; at && at % 8 == 0 && count < most && walk->left; count++) {
        walk->left--;
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

static void take_threads(struct cache_walk *walk, uint64_t first)
{
    struct thread_cache cache;
    uint64_t at = first, before = 0;
    for (size_t i = 0; i < THREADS_MOST; i++) {
        if (!read_thread(walk, at, &cache) || cache.before != before)
            break;
        take_thread(walk, at, &cache);
        before = at;
        at = cache.next;
    }
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

// Says whether the central caches lie at the address, that of class 1 first.
static bool are_central(struct cache_walk *walk, uint64_t at)
{
    for (uint64_t i = 1; i < walk->tree->classes; i++)
        if (!is_central(walk, at + (i - 1) * sizeof(struct central_cache), i))
            return false;
    return true;
}

static void take_central(struct cache_walk *walk, uint64_t first)
{
    const struct tcmalloc_tree *tree = walk->tree;
    struct central_cache cache;
    uint64_t at = first;
    forget_pages(walk);
    for (uint64_t i = 1; i < tree->classes; i++, at += sizeof cache)
        if (heap_view_read(&tree->target->view, at, &cache, sizeof cache))
            take_chains(walk, &cache, tree->sizes[i]);
}

// ---------------------------------------------------------------- looking for them

// Says whether a list of class `number` lies where a cache at the address would have it.
static bool has_list(struct cache_walk *walk, uint64_t at, uint64_t number)
{
    return (uint32_t)word_at(walk, at + number * sizeof(struct thread_list) +
                                       offsetof(struct thread_list, size)) ==
           walk->tree->sizes[number];
}

// Says whether the word points to the first one of the threads' caches.
static bool is_first_thread(struct cache_walk *walk, uint64_t word)
{
    struct thread_cache cache;
    if (word <= PAGE || word % 8 || !has_list(walk, word, 1) || !has_list(walk, word, 2) ||
        !walk->left)
        return false;
    walk->left--;
    return read_thread(walk, word, &cache) && !cache.before;
}

static void try_word(struct cache_walk *walk, struct tcmalloc_places *places, uint64_t at,
                     uint64_t word)
{
    if (!places->central && word == 1 && word_at(walk, at + sizeof(struct central_cache)) == 2 &&
        are_central(walk, at - 8))
        places->central = at - 8;
    if (!places->threads && is_first_thread(walk, word))
        places->threads = at;
}

static void walk_begin(struct cache_walk *walk, const struct tcmalloc_tree *tree, size_t most)
{
    *walk = (struct cache_walk){.tree = tree, .left = most};
    walk->pages = xmalloc(KEPT_PAGES * sizeof *walk->pages);
    forget_pages(walk);
}

void tcmalloc_places_find(struct tcmalloc_places *places, const struct tcmalloc_tree *tree)
{
    struct cache_walk walk;
    uint64_t end = tree->radix.data_end;
    *places = (struct tcmalloc_places){0};
    walk_begin(&walk, tree, TRIES_MOST);
    for (uint64_t at = tree->radix.data; at < end; at += PAGE) {
        const uint64_t *words = heap_view_window(&tree->target->view, at, PAGE, end);
        for (size_t i = 0; words && i < PAGE / 8; i++)
            try_word(&walk, places, at + i * 8, words[i]);
    }
    free(walk.pages);
}

void tcmalloc_caches_read(struct tcmalloc_caches *caches, const struct tcmalloc_tree *tree,
                          const struct tcmalloc_places *places)
{
    struct cache_walk walk;
    uint64_t first;
    *caches = (struct tcmalloc_caches){0};
    walk_begin(&walk, tree, ADDRESSES_MOST);
    walk.caches = caches;
    if (places->threads && heap_view_read(&tree->target->view, places->threads, &first, 8))
        take_threads(&walk, first);
    if (places->central)
        take_central(&walk, places->central);
    free(walk.pages);
    address_list_sort(&caches->blocks);
}

void tcmalloc_caches_fini(struct tcmalloc_caches *caches)
{
    address_list_fini(&caches->blocks);
}
