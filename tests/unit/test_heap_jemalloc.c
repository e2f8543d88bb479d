// SPDX-License-Identifier: MIT
// jemalloc's books, as release 5.3 and the ones before lay them out, true and damaged.
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/mem.h"
#include "fixture_books.h"
#include "heap/jemalloc_extents.h"

#define PAGES 64u           // of the heap
#define CLASS_16 1u
#define CLASS_LARGE 36u     // 16 KiB
#define REGIONS 256u        // of a slab of one page
#define FREE 100u           // of them
#define ROOT_WORDS (1u << 18)

// In the .bss, as jemalloc's is; not at its beginning.
__attribute__((used)) static uint64_t root[ROOT_WORDS + 8];
static uint64_t *leaf, (*described)[16], *heap;
static struct heap_target *target;
static struct fixture_walk seen;

static uint64_t address_of(const void *thing)
{
    return (uint64_t)(uintptr_t)thing;
}

struct bits { // where a release keeps what
    unsigned state, size_class, free, flags;
};

static const struct bits releases[] = {{17, 20, 28, 2}, {16, 18, 26, 0}};

static void put(unsigned page, uint64_t bits, uint64_t size, unsigned size_class, unsigned flags)
{
    uint64_t *edata = described[page], index = (address_of(heap) >> 12) + page;
    edata[0] = bits;
    edata[1] = address_of(heap) + page * 4096ull;
    edata[2] = size;
    for (uint64_t i = 0; i < size / 4096; i += size / 4096 > 1 ? size / 4096 - 1 : 1)
        leaf[(index + i) % RADIX_LEAF_WORDS] =
            address_of(edata) | flags | (uint64_t)size_class << 48;
}

static void put_slab(unsigned page, const struct bits *at)
{
    put(page, 3 | 1 << 12 | (uint64_t)CLASS_16 << at->size_class | (uint64_t)FREE << at->free, 4096,
        CLASS_16, 1 | at->flags);
    for (size_t i = 0; i < FREE; i++) // the last ones are free
        described[page][8 + (REGIONS - 1 - i) / 64] |= 1ull << (REGIONS - 1 - i) % 64;
    for (size_t i = 0; i < REGIONS; i++)
        heap[page * 512 + i * 2] = i < REGIONS - FREE ? 1 : 1000000;
}

static void lay_out(const struct bits *at)
{
    put_slab(0, at);
    put_slab(1, at);
    put(2, 3 | (uint64_t)CLASS_LARGE << at->size_class, 5 * 4096, CLASS_LARGE, at->flags);
    put(7, 5 | 1ull << at->state | 232ull << at->size_class, 9 * 4096, 232, 1 << 2); // dirty
    put(16, 5 | 3ull << at->state | 232ull << at->size_class, 48 * 4096, 232, 3 << 2); // retained
}

static void set_up(void)
{
    leaf = fixture_books_map(RADIX_LEAF_BYTES, 0);
    described = fixture_books_map(1 << 20, 1 << 20);
    // What lies across the words of two leaves is another test's.
    char *mapped = fixture_books_map(2 * PAGES * 4096, 0);
    bool crosses = address_of(mapped) >> 30 != (address_of(mapped) + PAGES * 4096 - 1) >> 30;
    heap = (uint64_t *)(void *)(mapped + (crosses ? PAGES * 4096 : 0));
    root[8 + (address_of(heap) >> 30)] = address_of(leaf);
    target = fixture_books_target();
}

static void tear_down(void)
{
    heap_target_close(target);
    munmap(leaf, RADIX_LEAF_BYTES);
    munmap(described, 1 << 20);
    memset(root, 0, sizeof root);
}

static bool walk(void)
{
    return fixture_books_walk(&seen, &allocator_jemalloc, target);
}

START_TEST(blocks_in_use)
{
    lay_out(&releases[_i]);
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (REGIONS - FREE) + 1);
    ck_assert_uint_eq(seen.bytes, 2 * (REGIONS - FREE) * 16 + 16384);
    ck_assert_uint_eq(seen.first_words, 2 * (REGIONS - FREE)); // the large one was not touched
    ck_assert_uint_eq(seen.quality.walked, 7 * 4096);
    ck_assert_uint_eq(seen.quality.skipped + seen.quality.resyncs, 0);
    ck_assert_uint_eq(seen.figures.value[FIGURE_IN_USE], seen.bytes);
    ck_assert_uint_eq(seen.figures.value[FIGURE_IN_USE_BLOCKS], seen.blocks);
    ck_assert_uint_eq(seen.figures.value[FIGURE_TRIMMABLE], 9 * 4096);
    ck_assert_uint_eq(seen.figures.value[FIGURE_FREE], 9 * 4096 + 2 * FREE * 16);
    ck_assert_uint_eq(seen.figures.value[FIGURE_ARENAS], 2);
    ck_assert(!seen.figures.known[FIGURE_CACHED] && !seen.figures.known[FIGURE_SYSTEM]);
}
END_TEST

START_TEST(a_slab_that_changes)
{
    lay_out(&releases[_i]);
    described[0][8] |= 1; // the first region is free too, which its number does not say yet
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (REGIONS - FREE));
    ck_assert_uint_eq(seen.quality.resyncs, 1);
    ck_assert_uint_eq(seen.quality.skipped, 0);
}
END_TEST

// Words of the description of the second slab, and what stands there: nothing of it is believed.
static const struct damage {
    size_t word;
    uint64_t value;
} damages[] = {
    {0, UINT64_MAX},                               // all fields at their largest
    {0, 3},                                        // neither slab nor size class
    {0, 3 | 1 << 12 | 255ull << 20},               // a size class that slabs do not have
    {1, 0},                                        // no address
    {1, UINT64_MAX},
    {1, 0x7fffffffffff},
    {2, 0},                                        // no pages
    {2, UINT64_MAX},
    {2, 1ull << 46},                               // more than fit into a slab
};

START_TEST(a_damaged_description)
{
    lay_out(&releases[0]);
    described[1][damages[_i].word] = damages[_i].value;
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, REGIONS - FREE + 1);
    ck_assert_uint_ge(seen.least, address_of(heap));
    ck_assert_uint_lt(seen.most, address_of(heap) + PAGES * 4096);
}
END_TEST

START_TEST(a_large_block_that_ends_nowhere)
{
    lay_out(&releases[0]);
    described[2][2] = 1ull << 45;
    described[7][2] = 1ull << 45;
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (REGIONS - FREE));
    ck_assert_uint_eq(seen.figures.value[FIGURE_IN_USE], seen.bytes);
    ck_assert_uint_eq(seen.figures.value[FIGURE_TRIMMABLE], 0);
}
END_TEST

START_TEST(words_that_lead_nowhere)
{
    lay_out(&releases[0]);
    uint64_t index = (address_of(heap) >> 12) % RADIX_LEAF_WORDS;
    leaf[(index + 20) % RADIX_LEAF_WORDS] = 0x7f0000000080;
    leaf[(index + 21) % RADIX_LEAF_WORDS] = UINT64_MAX;
    leaf[(index + 22) % RADIX_LEAF_WORDS] = leaf[index]; // of another page
    root[9 + (address_of(heap) >> 30)] = 0x7f0000000000;
    ck_assert(walk());
    ck_assert_uint_eq(seen.blocks, 2 * (REGIONS - FREE) + 1);
    ck_assert_uint_eq(seen.quality.resyncs, 2);
}
END_TEST

START_TEST(no_tree)
{
    ck_assert(!walk()); // a leaf without words
    lay_out(&releases[0]);
    for (size_t i = 0; i < PAGES; i++)
        described[i][1] += 4096;
    ck_assert(!walk()); // what its words lead to describes other pages
}
END_TEST

START_TEST(sizes_of_classes)
{
    static const struct {
        unsigned size_class;
        uint64_t size;
    } sizes[] = {{0, 8}, {1, 16}, {4, 64}, {5, 80}, {8, 128}, {9, 160}, {28, 4096}, {35, 14336},
                 {36, 16384}, {37, 20480}, {255, UINT64_MAX}};
    ck_assert_uint_eq(jemalloc_class_size(sizes[_i].size_class), sizes[_i].size);
}
END_TEST

Suite *suite_heap_jemalloc(void)
{
    Suite *suite = suite_create("heap_jemalloc");
    TCase *tcase = tcase_create("books");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, blocks_in_use, 0, ARRAY_LENGTH(releases));
    tcase_add_loop_test(tcase, a_slab_that_changes, 0, ARRAY_LENGTH(releases));
    tcase_add_loop_test(tcase, a_damaged_description, 0, ARRAY_LENGTH(damages));
    tcase_add_test(tcase, a_large_block_that_ends_nowhere);
    tcase_add_test(tcase, words_that_lead_nowhere);
    tcase_add_test(tcase, no_tree);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("sizes");
    tcase_add_loop_test(tcase, sizes_of_classes, 0, 11);
    suite_add_tcase(suite, tcase);
    return suite;
}
