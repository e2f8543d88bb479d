// SPDX-License-Identifier: MIT
// musl's heap, true and hostile, in memory of this process.
#include "heap/musl.h"

#include <check.h>

#include "tests/fuzz/musl_heap.h"

static struct own_memory own;
static struct musl_books books;

static void set_up(void)
{
    own_memory_open(&own, MUSL_BYTES, "/program");
    musl_put_heap(&own);
    books = (struct musl_books){.target = &own.target, .secret = MUSL_SECRET,
                                .areas = MUSL_METAS_AT};
}

static void tear_down(void)
{
    own_memory_close(&own);
}

static uint64_t blocks(void)
{
    struct own_visits visits = own_walk(&own, &allocator_musl, &books);
    ck_assert(!visits.bad);
    return visits.blocks;
}

START_TEST(test_blocks)
{
    struct own_visits visits = own_walk(&own, &allocator_musl, &books);
    ck_assert(!visits.bad);
    ck_assert_uint_eq(visits.blocks, 6);
    ck_assert_uint_eq(visits.usable, 100 + 188 + 80 + 2 * 12 + 15000);
    ck_assert_uint_eq(visits.taken, 3 * MUSL_STRIDE + 2 * 16 + 4 * 4096 - 16);
    ck_assert_uint_eq(visits.first, MUSL_SLOT(0));
    ck_assert_uint_eq(visits.last, MUSL_LARGE + 32);
}
END_TEST

START_TEST(test_figures)
{
    struct heap_figures figures = {0};
    allocator_musl.count(&books, &figures);
    ck_assert_uint_eq(figures.value[FIGURE_IN_USE_BLOCKS], 6);
    ck_assert_uint_eq(figures.value[FIGURE_SYSTEM], 7 * 4096);
    ck_assert_uint_eq(figures.value[FIGURE_MAPPED], 4 * 4096);
    ck_assert_uint_eq(figures.value[FIGURE_MAPPED_BLOCKS], 1);
    ck_assert_uint_eq(figures.value[FIGURE_METADATA], 4096);
    ck_assert_uint_eq(figures.value[FIGURE_TRIMMABLE], 0);
}
END_TEST

START_TEST(test_found_by_its_secret)
{
    AUTO_BUF struct buf why = {0};
    void *found = allocator_musl.find(&own.target, &why);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(own_walk(&own, &allocator_musl, found).blocks, 6);
    allocator_musl.free(found);
    own_put(&own, MUSL_METAS_AT, MUSL_SECRET + 1, 8);
    heap_view_forget(&own.target.view);
    ck_assert_ptr_null(allocator_musl.find(&own.target, &why));
    ck_assert_uint_eq(why.length, 0);
}
END_TEST

START_TEST(test_header_must_agree)
{
    own_put(&own, MUSL_SLOT(0) - 3, 255, 1); // freed just now
    ck_assert_uint_eq(blocks(), 5);
    own_put(&own, MUSL_SLOT(1) - 2, 1, 2); // another offset
    ck_assert_uint_eq(blocks(), 4);
    own_put(&own, MUSL_SLOT(2) + 32 - 3, 1 + (5 << 5), 1); // another slot's
    ck_assert_uint_eq(blocks(), 3);
}
END_TEST

START_TEST(test_lists_and_groups_that_lead_back)
{
    own_put(&own, MUSL_METAS_AT + 8, MUSL_METAS_AT, 8); // the next page is this one
    ck_assert_uint_eq(blocks(), 6);
    own_put(&own, MUSL_INNER, MUSL_META(0), 8); // the group within is the one around it
    ck_assert_uint_eq(blocks(), 4);
    musl_put_meta(&own, 3, MUSL_GROUP + 16, 0, 7 | 1 << 5 | 10 << 6 | 2 << 12); // overlaps
    ck_assert_uint_eq(blocks(), 4);
}
END_TEST

START_TEST(test_sizes_that_do_not_fit)
{
    own_put(&own, MUSL_SLOT(0) + MUSL_STRIDE - 8, 1 << 20, 4); // more bytes left than it has
    ck_assert_uint_eq(blocks(), 5);
    own_put(&own, MUSL_META(2) + 32, 1 << 5 | 63 << 6 | 400 << 12, 8); // beyond the mapping
    ck_assert_uint_eq(blocks(), 4);
    own_put(&own, MUSL_META(0) + 32, 31 | 1 << 5 | 47 << 6 | 2 << 12, 8); // beyond its own
    ck_assert_uint_eq(blocks(), 0);
}
END_TEST

Suite *suite_musl(void)
{
    Suite *suite = suite_create("musl");
    TCase *tests = tcase_create("tests");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_blocks);
    tcase_add_test(tests, test_figures);
    tcase_add_test(tests, test_found_by_its_secret);
    tcase_add_test(tests, test_header_must_agree);
    tcase_add_test(tests, test_lists_and_groups_that_lead_back);
    tcase_add_test(tests, test_sizes_that_do_not_fit);
    suite_add_tcase(suite, tests);
    return suite;
}
