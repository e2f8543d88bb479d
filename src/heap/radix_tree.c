// SPDX-License-Identifier: MIT
#include "heap/radix_tree.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGE 4096u
#define PAGE_WORDS (PAGE / 8)
#define BSS_MOST (64ull << 20) // bytes of a module's .bss that are looked through
#define PAGES_TRIED 65536u     // pages of what may be leaves that are looked at, in all modules
#define PAGES_FIRST 4u         // of each of them, before all are looked at
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

uint64_t radix_page_within(const struct heap_target *target, unsigned page_shift, uint64_t index,
                           uint64_t start, uint64_t end)
{
    uint64_t first = start >> page_shift;
    uint64_t behind = (index - first) & (RADIX_LEAF_WORDS - 1);
    return start < end && behind < (end - start) >> page_shift &&
                   heap_target_region(target, start) && heap_target_region(target, end - 1)
               ? first + behind
               : RADIX_NO_PAGE;
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

// Says whether a leaf can lie there, and looks at what it may be.
static bool look_at_leaf(struct radix_search *search, uint64_t leaf, struct radix_votes *votes)
{
    const struct proc_map *map =
        leaf % search->shape->alignment ? NULL : heap_target_region(search->target, leaf);
    if (!map || !map->writable || map->end - leaf < RADIX_LEAF_BYTES)
        return false;
    *votes = votes_of(search, leaf);
    return votes->good * 8 > votes->bad && votes->place >> search->shape->root_bits == 0;
}

static void add_leaf(struct radix_tree *tree, struct radix_search *search, uint64_t place,
                     uint64_t leaf)
{
    struct radix_votes votes;
    if (!look_at_leaf(search, leaf, &votes) || votes.place != place)
        return;
    ARRAY_RESERVE(tree->leaves, tree->count, tree->capacity);
    tree->leaves[tree->count++] = (struct radix_leaf){leaf, place * RADIX_LEAF_WORDS};
}

// Lists the leaves of what may be the root. False when fewer than half of its words lead to one: it
// was told by a pointer to a leaf that is not in the root.
static bool list_leaves(struct radix_tree *tree, struct radix_search *search)
{
    struct heap_view *view = &search->target->view;
    uint64_t words[PAGE_WORDS], at = tree->root, seen = 0;
    uint64_t end = tree->root + (8ull << search->shape->root_bits);
    size_t pages_each = search->pages_each;
    search->pages_each = RADIX_LEAF_BYTES / PAGE + 1;
    tree->count = 0;
    while ((at = heap_view_next_present(view, at, end)) < end) {
        uint64_t length = PAGE - at % PAGE < end - at ? PAGE - at % PAGE : end - at;
        bool there = heap_view_read(view, at, words, length);
        for (size_t i = 0; there && i < length / 8; i++) {
            seen += words[i] != 0;
            if (words[i])
                add_leaf(tree, search, (at - tree->root) / 8 + i, words[i]);
        }
        at += length;
    }
    search->pages_each = pages_each;
    return tree->count * 2 >= seen;
}

// Says whether the word at `at` is in the root and points to a leaf, and lists all of these.
static bool find_by(struct radix_tree *tree, struct radix_search *search, uint64_t at,
                    uint64_t word)
{
    struct radix_votes votes;
    if (!look_at_leaf(search, word, &votes))
        return false;
    uint64_t before = votes.place * 8, behind = (8ull << search->shape->root_bits) - before;
    if (at - search->start < before || search->end - at < behind)
        return false;
    tree->root = at - before;
    if (list_leaves(tree, search))
        return true;
    tree->root = 0;
    return false;
}

static bool find_in(struct radix_tree *tree, struct radix_search *search)
{
    struct heap_view *view = &search->target->view;
    uint64_t words[PAGE_WORDS];
    for (uint64_t at = search->start; at < search->end && search->pages; at += PAGE) {
        const void *bytes = heap_view_window(view, at, PAGE, search->end);
        if (!bytes)
            continue;
        memcpy(words, bytes, PAGE);
        for (size_t i = 0; i < PAGE_WORDS; i++)
            if (words[i] && find_by(tree, search, at + i * 8, words[i]))
                return true;
    }
    return false;
}

// Has the search begin with the data of a module when a mapping is its .bss, which lies behind what
// is mapped of its file, and a root has room in them.
static bool is_data(struct radix_search *search, size_t i)
{
    const struct proc_map *list = search->target->regions.list, *map = &list[i];
    if (!i || !map->writable || map->shared || *map->path || list[i - 1].end != map->start ||
        *list[i - 1].path != '/')
        return false;
    search->start = list[i - 1].writable ? list[i - 1].start : map->start;
    search->end = map->end - search->start < BSS_MOST ? map->end : search->start + BSS_MOST;
    return search->end - search->start >= 8ull << search->shape->root_bits;
}

// Looks at so many pages of each that may be a leaf.
static bool find_root(struct radix_tree *tree, struct radix_search *search, size_t pages_each)
{
    search->pages = PAGES_TRIED;
    search->pages_each = pages_each;
    for (size_t i = 0; i < search->target->regions.count; i++) {
        if (!is_data(search, i) ||
            !search->shape->is_module(search->target, search->start, search->end))
            continue;
        tree->data = search->start;
        tree->data_end = search->end;
        if (find_in(tree, search))
            return true;
    }
    return false;
}

bool radix_tree_find(struct radix_tree *tree, struct heap_target *target,
                     const struct radix_shape *shape)
{
    struct radix_search search = {.target = target, .shape = shape};
    *tree = (struct radix_tree){0};
    return find_root(tree, &search, PAGES_FIRST) ||
           (tree->data && find_root(tree, &search, RADIX_LEAF_BYTES / PAGE + 1));
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
    while (at < end) {
        uint64_t length = PAGE - at % PAGE < end - at ? PAGE - at % PAGE : end - at;
        const uint64_t *bytes = heap_view_window(view, at, length, end);
        for (size_t i = 0; bytes && i < length / 8; i++) {
            uint64_t address = bytes[i] & shape->mask;
            if (!address || address == last)
                continue;
            last = address;
            uint64_t index = (at - leaf->address) / 8 + i;
            words[count++] = (struct radix_word){bytes[i], (uint32_t)index};
        }
        at += length;
    }
    return count;
}
