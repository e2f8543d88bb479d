// SPDX-License-Identifier: MIT
// Go's heap, true and hostile, in memory of this process.
#include "heap/go.h"

#include <check.h>

#include "tests/fuzz/go_heap.h"

static struct own_memory own;
static void *books;

static void set_up(void)
{
    AUTO_BUF struct buf why = {0};
    own_memory_open(&own, GO_BYTES, "/program");
    go_put_heap(&own);
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
    ck_assert_uint_eq(visits.first, GO_START(0));
    ck_assert_uint_eq(visits.last, GO_START(1) + 15 * 512);
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
    own_put(&own, GO_SPAN_AT(1) + 96, 7, 2);
    ck_assert_uint_eq(blocks(), 16);
    own_put(&own, GO_SPAN_AT(1) + 96, 6, 2);
    own_put(&own, GO_SPAN_AT(1) + 72, 0xfffffffffffff000ull, 8);
    ck_assert_uint_eq(blocks(), 16);
}
END_TEST

START_TEST(test_spans_that_do_not_fit)
{
    own_put(&own, GO_SPAN_AT(0) + 56, 17, 8); // more objects than there is room for
    ck_assert_uint_eq(blocks(), 6);
    own_put(&own, GO_SPAN_AT(1) + 24, OWN_MEMORY - GO_PAGE, 8); // not mapped
    own_put(&own, GO_SPAN_AT(1) + 112, OWN_MEMORY, 8);
    ck_assert_uint_eq(blocks(), 0);
    go_put_span(&own, 0, GO_SPAN_OBJECTS, 16, 16);
    go_put_span(&own, 3, GO_SPAN_OBJECTS, 16, 16);
    own_put(&own, GO_SPAN_AT(3) + 24, GO_START(0), 8); // the same page again
    own_put(&own, GO_SPAN_AT(3) + 112, GO_START(1), 8);
    ck_assert_uint_eq(blocks(), 16);
    own_put(&own, GO_SLICE + 8, UINT64_MAX, 8); // ever so many spans
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
