// SPDX-License-Identifier: MIT
// Go's heap, true and hostile, in memory of this process.
#include "heap/go.h"

#include <check.h>

#include "tests/fuzz/own_memory.h"

#define BYTES (64u << 10)
#define SLICE (OWN_MEMORY + 4096)
#define SPAN(number) (OWN_MEMORY + 8192 + 160 * (number))
#define START(number) (OWN_MEMORY + GO_PAGE * (2 + (number)))
#define BITS (OWN_MEMORY + 12288)

static struct own_memory own;
static void *books;

// A span of one page of objects of 512 bytes, as Go 1.19 describes it.
static void put_span(unsigned number, unsigned state, unsigned free_index, unsigned allocated)
{
    uint64_t at = SPAN(number);
    own_put(&own, SLICE + 64 + 8 * number, at, 8);
    own_put(&own, at + 24, START(number), 8);
    own_put(&own, at + 32, 1, 8);
    own_put(&own, at + 48, free_index, 8);
    own_put(&own, at + 56, 16, 8);
    own_put(&own, at + 72, BITS + 8 * number, 8);
    own_put(&own, at + 96, allocated, 2);
    own_put(&own, at + 98, 10, 1);
    own_put(&own, at + 99, state, 1);
    own_put(&own, at + 104, 512, 8);
    own_put(&own, at + 112, START(number) + GO_PAGE, 8);
}

// Of three spans of 16 objects one is full, one has four before its free index and two behind it,
// and one has none; two more hold no objects.
static void set_up(void)
{
    own_memory_open(&own, BYTES, "/program");
    memcpy(own.bytes + 32, "\xff Go buildinf:\x08\x02", 16);
    memcpy(own.bytes + 64, "\x08go1.19.8", 9);
    own_put(&own, SLICE, SLICE + 64, 8);
    own_put(&own, SLICE + 8, 5, 8);
    own_put(&own, SLICE + 16, 8, 8);
    put_span(0, GO_SPAN_OBJECTS, 16, 16);
    put_span(1, GO_SPAN_OBJECTS, 4, 6);
    put_span(2, GO_SPAN_OBJECTS, 0, 0);
    put_span(3, GO_SPAN_DEAD, 16, 16);
    put_span(4, GO_SPAN_MANUAL, 16, 16);
    own_put(&own, BITS + 8, 1 << 5 | 1 << 15 | 3, 2); // what is before the free index says nothing
    AUTO_BUF struct buf why = {0};
    books = allocator_go.find(&own.target, &why);
    ck_assert_ptr_nonnull(books);
}

static void tear_down(void)
{
    allocator_go.free(books);
    own_memory_close(&own);
}

static uint64_t blocks(void)
{
    struct own_visits visits = own_walk(&own, &allocator_go, books);
    ck_assert(!visits.bad);
    return visits.blocks;
}

START_TEST(test_blocks)
{
    char version[32];
    struct heap_figures figures = {0};
    struct own_visits visits = own_walk(&own, &allocator_go, books);
    ck_assert(!visits.bad);
    ck_assert_uint_eq(visits.blocks, 22);
    ck_assert_uint_eq(visits.first, START(0));
    ck_assert_uint_eq(visits.last, START(1) + 15 * 512);
    allocator_go.version(books, version, sizeof version);
    ck_assert_str_eq(version, "1.19.8");
    allocator_go.count(books, &figures);
    ck_assert_uint_eq(figures.value[FIGURE_IN_USE_BLOCKS], 22);
    ck_assert_uint_eq(figures.value[FIGURE_IN_USE], 22 * 512);
    ck_assert(!figures.known[FIGURE_SYSTEM]);
}
END_TEST

START_TEST(test_bitmap_must_fit_the_span)
{
    own_put(&own, SPAN(1) + 96, 7, 2);
    ck_assert_uint_eq(blocks(), 16);
    own_put(&own, SPAN(1) + 96, 6, 2);
    own_put(&own, SPAN(1) + 72, 0xfffffffffffff000ull, 8);
    ck_assert_uint_eq(blocks(), 16);
}
END_TEST

START_TEST(test_spans_that_do_not_fit)
{
    own_put(&own, SPAN(0) + 56, 17, 8); // more objects than there is room for
    ck_assert_uint_eq(blocks(), 6);
    own_put(&own, SPAN(1) + 24, OWN_MEMORY - GO_PAGE, 8); // not mapped
    own_put(&own, SPAN(1) + 112, OWN_MEMORY, 8);
    ck_assert_uint_eq(blocks(), 0);
    put_span(0, GO_SPAN_OBJECTS, 16, 16);
    put_span(3, GO_SPAN_OBJECTS, 16, 16);
    own_put(&own, SPAN(3) + 24, START(0), 8); // the same page again
    own_put(&own, SPAN(3) + 112, START(1), 8);
    ck_assert_uint_eq(blocks(), 16);
    own_put(&own, SLICE + 8, UINT64_MAX, 8); // ever so many spans
    ck_assert_uint_eq(blocks(), 16);
}
END_TEST

Suite *suite_go_spans(void)
{
    Suite *suite = suite_create("go_spans");
    TCase *tests = tcase_create("tests");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_blocks);
    tcase_add_test(tests, test_bitmap_must_fit_the_span);
    tcase_add_test(tests, test_spans_that_do_not_fit);
    suite_add_tcase(suite, tests);
    return suite;
}
