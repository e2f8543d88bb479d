// SPDX-License-Identifier: MIT
#include "heap/tcmalloc_spans.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PAGES_MOST (1ull << 34)  // of user space
#define LARGEST 262144u          // bytes of the largest class, at the end of the table of sizes
#define CLASSES_LEAST 30u
#define PAGE 4096u

struct span_words { // as it lies in memory
    uint64_t start, length, next, before, objects;
    uint32_t bits, unused; // 16: blocks in use; 8: size class; 2: location; 1: sampled
};

static bool decode(const struct span_words *words, struct page_span *span)
{
    *span = (struct page_span){
        .start = words->start,
        .length = words->length,
        .objects = words->objects,
        .used = words->bits & 0xffff,
        .size_class = words->bits >> 16 & 0xff,
        .location = words->bits >> 24 & 3,
    };
    return span->start && span->start < PAGES_MOST && span->length &&
           span->length <= PAGES_MOST - span->start && span->size_class < TCMALLOC_CLASSES &&
           span->location <= SPAN_RETURNED;
}

static uint64_t page_of(struct heap_target *target, uint64_t word, uint64_t index)
{
    struct span_words words;
    struct page_span span;
    if (word % 8 || !heap_target_region(target, word) ||
        !heap_view_read(&target->view, word, &words, sizeof words) || !decode(&words, &span))
        return RADIX_NO_PAGE;
    return radix_page_within(target, TCMALLOC_PAGE_SHIFT, index, span.start << TCMALLOC_PAGE_SHIFT,
                             (span.start + span.length) << TCMALLOC_PAGE_SHIFT);
}

// ---------------------------------------------------------------- sizes of classes

// Reads the table of sizes that ends at `at`: it ascends from 0 and the least size. Returns how
// many classes it has, 0 when it is none. `sizes` has TCMALLOC_CLASSES elements.
static uint32_t read_sizes(struct heap_target *target, uint64_t at, uint32_t *sizes)
{
    uint32_t table[TCMALLOC_CLASSES], first = TCMALLOC_CLASSES - 1;
    if (at < sizeof table ||
        !heap_view_read(&target->view, at + 4 - sizeof table, table, sizeof table))
        return 0;
    while (first && table[first] && table[first - 1] < table[first])
        first--;
    uint32_t classes = TCMALLOC_CLASSES - first;
    if (table[first] || classes < CLASSES_LEAST ||
        (table[first + 1] != 8 && table[first + 1] != 16))
        return 0;
    memcpy(sizes, table + first, classes * sizeof *table);
    return classes;
}

static uint32_t find_sizes(struct heap_target *target, uint64_t start, uint64_t end,
                           uint32_t *sizes)
{
    uint32_t classes = 0;
    for (uint64_t at = start; at < end && !classes; at += PAGE) {
        const uint32_t *words = heap_view_window(&target->view, at, PAGE, end);
        for (size_t i = 0; words && i < PAGE / 4 && !classes; i++)
            if (words[i] == LARGEST)
                classes = read_sizes(target, at + i * 4, sizes);
    }
    return classes;
}

static bool is_module(struct heap_target *target, uint64_t start, uint64_t end)
{
    uint32_t sizes[TCMALLOC_CLASSES];
    return find_sizes(target, start, end, sizes);
}

static const struct radix_shape shape = {TCMALLOC_PAGE_SHIFT, 17, 8, UINT64_MAX, is_module,
                                         page_of};

bool tcmalloc_tree_find(struct tcmalloc_tree *tree, struct heap_target *target)
{
    *tree = (struct tcmalloc_tree){.target = target};
    if (radix_tree_find(&tree->radix, target, &shape))
        tree->classes =
            find_sizes(target, tree->radix.data, tree->radix.data_end, tree->sizes);
    return tree->classes;
}

void tcmalloc_tree_fini(struct tcmalloc_tree *tree)
{
    radix_tree_fini(&tree->radix);
}

// ---------------------------------------------------------------- a leaf

static int compare_words(const void *left, const void *right)
{
    const struct radix_word *a = left, *b = right;
    return a->word < b->word ? -1 : a->word > b->word;
}

static int compare_spans(const void *left, const void *right)
{
    const struct page_span *a = left, *b = right;
    return a->start < b->start ? -1 : a->start > b->start;
}

// Reads the span that a word leads to, and says whether the word is that of its first page.
static bool take(const struct tcmalloc_tree *tree, const struct radix_leaf *leaf,
                 const struct radix_word *word, struct page_span *span)
{
    struct span_words words;
    const struct proc_map *map = word->word % 8 ? NULL
                                                : heap_target_region(tree->target, word->word);
    const void *bytes = map ? heap_view_window(&tree->target->view, word->word, sizeof words,
                                               map->end)
                            : NULL;
    if (!bytes)
        return false;
    memcpy(&words, bytes, sizeof words);
    bool is_first = decode(&words, span) && span->start == leaf->first_page + word->index;
    span->described = word->word;
    uint64_t start = span->start << TCMALLOC_PAGE_SHIFT;
    uint64_t length = span->length << TCMALLOC_PAGE_SHIFT;
    return is_first && heap_target_region(tree->target, start) &&
           heap_target_region(tree->target, start + length - 1);
}

void tcmalloc_spans_read(struct leaf_spans *spans, const struct tcmalloc_tree *tree,
                         const struct radix_leaf *leaf)
{
    AUTO_FREE struct radix_word *words = xmalloc(RADIX_LEAF_WORDS * sizeof *words);
    size_t count = radix_leaf_words(tree->target, &shape, leaf, words), kept = 0;
    *spans = (struct leaf_spans){.list = xmalloc((count + 1) * sizeof *spans->list)};
    if (count)
        qsort(words, count, sizeof *words, compare_words);
    for (size_t i = 0; i < count; i++)
        spans->count += take(tree, leaf, &words[i], &spans->list[spans->count]);
    if (spans->count)
        qsort(spans->list, spans->count, sizeof *spans->list, compare_spans);
    uint64_t end = 0; // of the span before: none lies in another one
    for (size_t i = 0; i < spans->count; i++) {
        if (spans->list[i].start < end)
            continue;
        end = spans->list[i].start + spans->list[i].length;
        spans->list[kept++] = spans->list[i];
    }
    spans->count = kept;
}

bool tcmalloc_span_again(const struct tcmalloc_tree *tree, struct page_span *span)
{
    struct span_words words;
    struct page_span again;
    if (!heap_view_read(&tree->target->view, span->described, &words, sizeof words) ||
        !decode(&words, &again) || again.start != span->start || again.length != span->length ||
        again.size_class != span->size_class)
        return false;
    again.described = span->described;
    *span = again;
    return true;
}

uint64_t tcmalloc_span_blocks(const struct tcmalloc_tree *tree, const struct page_span *span)
{
    if (!span->size_class || span->size_class >= tree->classes)
        return 0;
    uint64_t blocks = (span->length << TCMALLOC_PAGE_SHIFT) / tree->sizes[span->size_class];
    return blocks <= TCMALLOC_OBJECTS && span->used <= blocks ? blocks : 0;
}
