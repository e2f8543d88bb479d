// SPDX-License-Identifier: MIT
#include "heap/radix_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGE 4096u
#define PAGE_WORDS (PAGE / 8)
#define BSS_MOST (64ull << 20) // bytes of a module's .bss that are looked through
#define PAGES_TRIED 65536u     // pages of what may be leaves that are looked at, in all modules
#define PAGES_FIRST 4u         // of each, at the first look at all; then it may have all of its pages
#define GOOD_TRIED 64u         // words of a leaf that fit are enough
#define BAD_TRIED 256u         // words that do not are left where pages were something else once
#define BAD_FIRST 16u          // of them before the first that fits, equal ones once,
#define SEEN_FIRST 1024u       // and all of them

struct radix_search {
    struct heap_target *target;
    const struct radix_shape *shape;
    uint64_t start, end; // of the data of a module
    size_t pages;        // that may still be looked at,
    size_t pages_each;   // and of each that may be a leaf
};

struct radix_votes { // for where a leaf lies in the tree
    size_t good, bad, seen; // words that fit, that do not, and that lead anywhere
    uint64_t place, last; // place in the root; the last word that was looked at
    bool enough;
};

uint64_t radix_page_within(uint64_t index, uint64_t first, uint64_t count)
{
    uint64_t behind = (index - first) & (RADIX_LEAF_WORDS - 1);
    return behind < count ? first + behind : RADIX_NO_PAGE;
}

static void vote(const struct radix_search *search, struct radix_votes *votes, uint64_t word,
                 uint64_t index)
{
    if (!(word & search->shape->mask))
        return;
    votes->seen++;
    if (word == votes->last)
        return;
    votes->last = word;
    uint64_t page = search->shape->page_of(search->target, word, index);
    uint64_t place = page / RADIX_LEAF_WORDS;
    bool good = page != RADIX_NO_PAGE && (!votes->good || place == votes->place);
    if (good)
        votes->place = place;
    votes->good += good;
    votes->bad += !good;
}

static void vote_all(const struct radix_search *search, struct radix_votes *votes,
                     const uint64_t *words, size_t count, uint64_t index)
{
    for (size_t i = 0; i < count && !votes->enough; i++) {
        vote(search, votes, words[i], index + i);
        votes->enough = votes->good ? votes->good == GOOD_TRIED || votes->bad == BAD_TRIED
                                    : votes->bad == BAD_FIRST || votes->seen == SEEN_FIRST;
    }
}

// Looks at what may be a leaf. Where a page is not there, the next one that is comes next.
static struct radix_votes votes_of(struct radix_search *search, uint64_t leaf)
{
    struct radix_votes votes = {0};
    struct heap_view *view = &search->target->view;
    uint64_t words[PAGE_WORDS], at = leaf, end = leaf + RADIX_LEAF_BYTES, missing = 0;
    for (size_t i = 0; i < search->pages_each && search->pages && at < end && !votes.enough; i++) {
        uint64_t length = PAGE - at % PAGE < end - at ? PAGE - at % PAGE : end - at;
        search->pages--;
        if (heap_view_read(view, at, words, length)) {
            vote_all(search, &votes, words, length / 8, (at - leaf) / 8);
            at += length;
        } else {
            at = heap_view_next_present(view, at + (at == missing ? length : 0), end);
            missing = at;
        }
    }
    return votes;
}

// Returns where the root begins, if the word at `at` points to a leaf of it.
static uint64_t root_by(struct radix_search *search, uint64_t at, uint64_t word)
{
    const struct proc_map *map = word % 64 ? NULL : heap_target_region(search->target, word);
    if (!map || !map->writable )
        return 0;
    struct radix_votes votes = votes_of(search, word);
    uint64_t before = votes.place * 8, behind = (8ull << search->shape->root_bits) - before;
    bool fits = votes.good * 8 > votes.bad && votes.place >> search->shape->root_bits == 0 &&
                at - search->start >= before && search->end - at >= behind;
    return fits ? at - before : 0;
}

static uint64_t root_in(struct radix_search *search)
{
    struct heap_view *view = &search->target->view;
    uint64_t words[PAGE_WORDS];
    for (uint64_t at = search->start; search->pages; at += PAGE) {
        at = heap_view_next_present(view, at, search->end);
        if (at >= search->end)
            break;
        const void *bytes = heap_view_window(view, at, PAGE, search->end);
        if (!bytes)
            continue;
        memcpy(words, bytes, PAGE);
        for (size_t i = 0; i < PAGE_WORDS; i++) {
            uint64_t root = words[i] ? root_by(search, at + i * 8, words[i]) : 0;
            if (root)
                return root;
        }
    }
    return 0;
}

// Has the search begin with a mapping's data when it is the .bss of a module, which lies behind what
// is mapped of its file, and is large enough to hold a root.
static bool is_data(struct radix_search *search, size_t i)
{
    const struct proc_map *list = search->target->regions.list, *map = &list[i];
    if (!i || !map->writable || map->shared || *map->path || list[i - 1].end != map->start ||
        *list[i - 1].path != '/' || map->end - map->start < 4ull << search->shape->root_bits)
        return false;
    search->start = list[i - 1].writable ? list[i - 1].start : map->start;
    search->end = map->end - search->start < BSS_MOST ? map->end : search->start + BSS_MOST;
    return true;
}

static void add_leaf(struct radix_tree *tree, const struct radix_search *search, uint64_t place,
                     uint64_t leaf)
{
    const struct proc_map *map = leaf % 64 ? NULL : heap_target_region(search->target, leaf);
    if (!map || !map->writable || map->end - leaf < RADIX_LEAF_BYTES)
        return;
    ARRAY_RESERVE(tree->leaves, tree->count, tree->capacity);
    tree->leaves[tree->count++] = (struct radix_leaf){leaf, place * RADIX_LEAF_WORDS};
}

static void list_leaves(struct radix_tree *tree, const struct radix_search *search)
{
    struct heap_view *view = &search->target->view;
    uint64_t words[PAGE_WORDS], at = tree->root;
    uint64_t end = tree->root + (8ull << search->shape->root_bits);
    while ((at = heap_view_next_present(view, at, end)) < end) {
        uint64_t length = PAGE - at % PAGE < end - at ? PAGE - at % PAGE : end - at;
        if (heap_view_read(view, at, words, length))
            for (size_t i = 0; i < length / 8; i++)
                if (words[i])
                    add_leaf(tree, search, (at - tree->root) / 8 + i, words[i]);
        at += length;
    }
}

static bool find_root(struct radix_tree *tree, struct radix_search *search)
{
    search->pages = PAGES_TRIED;
    for (size_t i = 0; i < search->target->regions.count && !tree->root; i++)
        if (is_data(search, i) &&
            search->shape->is_module(search->target, search->start, search->end))
            tree->root = root_in(search);
    return tree->root;
}

bool radix_tree_find(struct radix_tree *tree, struct heap_target *target,
                     const struct radix_shape *shape)
{
    struct radix_search search = {.target = target, .shape = shape, .pages_each = PAGES_FIRST};
    *tree = (struct radix_tree){0};
    if (!find_root(tree, &search)) {
        search.pages_each = RADIX_LEAF_BYTES / PAGE + 1;
        find_root(tree, &search);
    }
    if (tree->root)
        list_leaves(tree, &search);
    tree->data = search.start;
    tree->data_end = search.end;
    return tree->root;
}

void radix_tree_fini(struct radix_tree *tree)
{
    free(tree->leaves);
    *tree = (struct radix_tree){0};
}

size_t radix_leaf_words(struct heap_target *target, const struct radix_shape *shape,
                        const struct radix_leaf *leaf, struct radix_word *words)
{
    struct heap_view *view = &target->view;
    uint64_t at = leaf->address, end = leaf->address + RADIX_LEAF_BYTES, last = 0;
    size_t count = 0;
    while ((at = heap_view_next_present(view, at, end)) < end) {
        uint64_t length = PAGE - at % PAGE < end - at ? PAGE - at % PAGE : end - at;
        const uint64_t *bytes = heap_view_window(view, at, length, end);
        for (size_t i = 0; bytes && i < length / 8; i++) {
            uint64_t address = bytes[i] & shape->mask;
            if (!address || address == last)
                continue;
            last = address;
            words[count++] = (struct radix_word){bytes[i], (uint32_t)((at - leaf->address) / 8 + i)};
        }
        at += length;
    }
    return count;
}
