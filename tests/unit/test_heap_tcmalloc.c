// SPDX-License-Identifier: MIT
// The books of gperftools' tcmalloc, true and damaged.
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "fixture_books.h"
#include "heap/tcmalloc_spans.h"

#define PAGES 16u            // of 8 KiB, of the heap
#define CLASSES 40u
#define CLASS 3u             // of 32 bytes
#define BLOCKS 256u          // of a span of one page
#define FREE 50u             // on its list
#define ROOT_WORDS (1u << 17)

struct span_words {
    uint64_t start, length, next, before, objects;
    uint32_t bits, unused;
};

struct thread_list {
    uint64_t first;
    uint32_t length, low_water, max_length, overages;
    int32_t size, unused;
};

struct thread_cache {
    struct thread_list lists[TCMALLOC_CLASSES];
    uint64_t unused[6], next, before;
};

struct central_cache {
    uint64_t lock, size_class, unused[14];
    uint64_t chains[64][2];
    int32_t used, size, most, unused_too;
    uint64_t padding[6];
};

// In the .bss, as tcmalloc's are.
__attribute__((used)) static uint64_t root[ROOT_WORDS + 8];
__attribute__((used)) static uint32_t sizes[TCMALLOC_CLASSES];
__attribute__((used)) static struct central_cache central[CLASSES];
__attribute__((used)) static struct thread_cache *threads;

static uint64_t *leaf;
static struct span_words *spans;
static char *heap;
static struct heap_target *target;
static struct fixture_walk seen;

static uint64_t address_of(const void *thing)
{
    return (uint64_t)(uintptr_t)thing;
}

static uint64_t *block(unsigned page, unsigned number)
{
    return (uint64_t *)(void *)(heap + page * 8192 + number * 32);
}

// Links blocks [from, from + count) of a page to a list, and returns its first word.
static uint64_t list_of(unsigned page, unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++)
        *block(page, i) = i + 1 < from + count ? address_of(block(page, i + 1)) : 0;
    return address_of(block(page, from));
}

static void put(unsigned page, unsigned length, uint64_t objects, unsigned used,
                unsigned size_class, unsigned location)
{
    uint64_t start = (address_of(heap) >> TCMALLOC_PAGE_SHIFT) + page;
    spans[page] = (struct span_words){.start = start, .length = length, .objects = objects,
                                      .bits = used | size_class << 16 | location << 24};
    leaf[start % RADIX_LEAF_WORDS] = address_of(&spans[page]);
    leaf[(start + length - 1) % RADIX_LEAF_WORDS] = address_of(&spans[page]);
}

static void put_small(unsigned page)
{
    for (unsigned i = 0; i < BLOCKS; i++)
        *block(page, i) = 1;
    put(page, 1, list_of(page, 0, FREE), BLOCKS - FREE, CLASS, 0);
}

static void lay_out_sizes(void)
{
    for (uint32_t i = 0; i < CLASSES; i++)
        sizes[TCMALLOC_CLASSES - CLASSES + i] = i < 2 ? i * 8 : (i - 1) * 16;
    sizes[TCMALLOC_CLASSES - 1] = 262144;
}

// The cache of the one thread holds four blocks of the first span, the central one two.
static void lay_out_caches(void)
{
    const uint32_t *table = sizes + TCMALLOC_CLASSES - CLASSES;
    for (uint32_t i = 0; i < CLASSES; i++) {
        threads->lists[i].size = (int32_t)table[i];
        central[i].size_class = i;
    }
    threads->lists[CLASS].first = list_of(0, 60, 4);
    threads->lists[CLASS].length = 4;
    central[CLASS].chains[0][0] = list_of(0, 70, 2);
    central[CLASS].chains[0][1] = address_of(block(0, 71));
    central[CLASS].used = 1;
}

static void lay_out(void)
{
    put_small(0);
    put_small(1);
    put(2, 3, 0, 0, 0, 0);    // a large block
    put(5, 4, 0, 0, 0, 1);    // free
    put(9, 7, 0, 0, 0, 2);    // given back
    lay_out_caches();
}

static void set_up(void)
{
    uint64_t size = PAGES << TCMALLOC_PAGE_SHIFT;
    lay_out_sizes();
    leaf = fixture_books_map(RADIX_LEAF_BYTES, RADIX_LEAF_BYTES);
    spans = fixture_books_map(1 << 20, 4096);
    threads = fixture_books_map(1 << 20, sizeof *threads);
    // What lies across the words of two leaves is another test's.
    char *mapped = fixture_books_map(3 * size, 3 * size);
    mapped += -address_of(mapped) % 8192;
    bool crosses = address_of(mapped) >> 31 != (address_of(mapped) + size - 1) >> 31;
    heap = mapped + (crosses ? size : 0);
    root[8 + (address_of(heap) >> 31)] = address_of(leaf);
    target = fixture_books_target();
}

static void tear_down(void)
{
    heap_target_close(target);
    munmap(leaf, RADIX_LEAF_BYTES);
    memset(root, 0, sizeof root);
    memset(sizes, 0, sizeof sizes);
    memset(central, 0, sizeof central);
}

static bool walk(void)
{
    return fixture_books_walk(&seen, &allocator_tcmalloc, target);
}

START_TEST(blocks_in_use)
{
    lay_out();
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (BLOCKS - FREE) - 6 + 1);
    ck_assert_uint_eq(seen.bytes, (2 * (BLOCKS - FREE) - 6) * 32 + 3 * 8192);
    ck_assert_uint_eq(seen.first_words, 2 * (BLOCKS - FREE) - 6);
    ck_assert_uint_eq(seen.quality.walked, 5 * 8192);
    ck_assert_uint_eq(seen.quality.skipped + seen.quality.resyncs, 0);
    ck_assert_uint_eq(seen.figures.value[FIGURE_IN_USE], seen.bytes);
    ck_assert_uint_eq(seen.figures.value[FIGURE_IN_USE_BLOCKS], seen.blocks);
    ck_assert_uint_eq(seen.figures.value[FIGURE_CACHED], 6 * 32);
    ck_assert_uint_eq(seen.figures.value[FIGURE_TRIMMABLE], 4 * 8192);
    ck_assert_uint_eq(seen.figures.value[FIGURE_SYSTEM], 9 * 8192);
    ck_assert_uint_eq(seen.figures.value[FIGURE_FREE], (2 * FREE + 6) * 32 + 4 * 8192);
}
END_TEST

START_TEST(without_caches)
{
    lay_out();
    threads->lists[CLASS].size++;
    central[7].size_class = 8;
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (BLOCKS - FREE) + 1);
    ck_assert(!seen.figures.known[FIGURE_CACHED]);
}
END_TEST

START_TEST(pages_that_are_not_there)
{
    lay_out();
    ck_assert_int_eq(madvise(heap + 8192 + 4096, 4096, MADV_DONTNEED), 0); // no free block is there
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (BLOCKS - FREE) - 6 + 1);
    ck_assert_uint_eq(seen.quality.skipped, 0);
}
END_TEST

static uint64_t wild;

// Ways to end the list of the second span: none leads out of it, or on for ever.
START_TEST(a_damaged_list)
{
    lay_out();
    const uint64_t ends[] = {1, address_of(heap), address_of(block(1, 0)), address_of(&wild),
                             address_of(block(1, 2)) + 8, UINT64_MAX, address_of(block(2, 0)),
                             address_of(block(1, BLOCKS - 1)) + 31};
    *block(1, FREE - 1) = ends[_i];
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (BLOCKS - FREE) - 6 + 1); // those before are free
    ck_assert_uint_eq(seen.quality.resyncs, 1);
}
END_TEST

static const struct span_words damages[] = {
    {.start = UINT64_MAX}, {.length = UINT64_MAX}, {.length = 1ull << 33},
    {.bits = 0xff << 16 | 1}, {.bits = 3 << 24}, {.bits = CLASS << 16 | (BLOCKS + 1)},
    {.bits = 39 << 16 | 1}, {.bits = 90 << 16},
};

START_TEST(a_damaged_span)
{
    lay_out();
    const struct span_words *damage = &damages[_i];
    spans[1].start = damage->start ? damage->start : spans[1].start;
    spans[1].length = damage->length ? damage->length : spans[1].length;
    spans[1].bits = damage->bits ? damage->bits : spans[1].bits;
    ck_assert(walk());
    ck_assert_uint_le(seen.blocks, BLOCKS - FREE - 6 + 2);
    ck_assert_uint_ge(seen.blocks, BLOCKS - FREE - 6);
    ck_assert_uint_ge(seen.least, address_of(heap));
    ck_assert_uint_lt(seen.most, address_of(heap) + (PAGES << TCMALLOC_PAGE_SHIFT));
}
END_TEST

START_TEST(a_large_block_that_ends_nowhere)
{
    lay_out();
    spans[2].length = 1ull << 20;
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (BLOCKS - FREE) - 6);
    ck_assert_uint_eq(seen.figures.value[FIGURE_IN_USE], seen.bytes);
}
END_TEST

START_TEST(lists_of_caches_that_lead_anywhere)
{
    lay_out();
    threads->lists[CLASS].length = UINT32_MAX;
    threads->lists[CLASS + 1].first = address_of(threads);
    threads->lists[CLASS + 1].length = 60000;
    threads->next = address_of(threads); // a ring
    central[CLASS].used = INT32_MAX;
    central[CLASS].chains[0][1] = 0;
    *block(0, 71) = address_of(block(0, 70)); // and another one
    ck_assert(walk());
    ck_assert_uint_le(seen.blocks, 2 * (BLOCKS - FREE) + 1);
    ck_assert_uint_ge(seen.blocks, 2 * (BLOCKS - FREE) - 6);
}
END_TEST

START_TEST(no_table_of_sizes)
{
    lay_out();
    sizes[TCMALLOC_CLASSES - 3] = 1;
    ck_assert(!walk());
}
END_TEST

Suite *suite_heap_tcmalloc(void)
{
    Suite *suite = suite_create("heap_tcmalloc");
    TCase *tcase = tcase_create("books");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, blocks_in_use);
    tcase_add_test(tcase, without_caches);
    tcase_add_test(tcase, pages_that_are_not_there);
    tcase_add_loop_test(tcase, a_damaged_list, 0, 8);
    tcase_add_loop_test(tcase, a_damaged_span, 0, ARRAY_LENGTH(damages));
    tcase_add_test(tcase, a_large_block_that_ends_nowhere);
    tcase_add_test(tcase, lists_of_caches_that_lead_anywhere);
    tcase_add_test(tcase, no_table_of_sizes);
    suite_add_tcase(suite, tcase);
    return suite;
}
