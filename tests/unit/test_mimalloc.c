// SPDX-License-Identifier: MIT
// mimalloc's heap, true and hostile, in memory of this process.
#include "heap/mimalloc.h"

#include <check.h>

#include "tests/fuzz/mimalloc_heap.h"

static struct own_memory own;
static void *books;

static void set_up(void)
{
    AUTO_BUF struct buf why = {0};
    own_memory_open(&own, MI_BYTES, "");
    mi_put_heap(&own);
    books = allocator_mimalloc.find(&own.target, &why);
    ck_assert_ptr_nonnull(books);
}

static void tear_down(void)
{
    allocator_mimalloc.free(books);
    own_memory_close(&own);
}

static uint64_t blocks(void)
{
    struct own_visits visits = own_walk(&own, &allocator_mimalloc, books);
    ck_assert(!visits.bad);
    return visits.blocks;
}

START_TEST(test_blocks)
{
    struct own_visits visits = own_walk(&own, &allocator_mimalloc, books);
    ck_assert(!visits.bad);
    ck_assert_uint_eq(visits.blocks, 5);
    ck_assert_uint_eq(visits.taken, 4 * MI_SIZE + 2 * 65536);
    ck_assert_uint_eq(visits.first, MI_BLOCK(0));
    ck_assert_uint_eq(visits.last, MI_LARGE);
}
END_TEST

START_TEST(test_figures)
{
    struct heap_figures figures = {0};
    char version[16];
    allocator_mimalloc.count(books, &figures);
    ck_assert_uint_eq(figures.value[FIGURE_IN_USE_BLOCKS], 8); // what others freed counts still
    ck_assert_uint_eq(figures.value[FIGURE_SYSTEM], 32u << 20);
    ck_assert_uint_eq(figures.value[FIGURE_METADATA], 65536);
    ck_assert_uint_eq(figures.value[FIGURE_MAPPED_BLOCKS], 0);
    allocator_mimalloc.version(books, version, sizeof version);
    ck_assert_str_eq(version, "2.0");
}
END_TEST

START_TEST(test_lists_that_lead_elsewhere)
{
    own_put(&own, MI_BLOCK(8), MI_BLOCK(9), 8); // back
    ck_assert_uint_eq(blocks(), 5);
    own_put(&own, MI_BLOCK(9), MI_BLOCK(3) + 8, 8); // into a block: 8 is free, and looks like it
    own_put(&own, MI_BLOCK(0), 1, 8);
    own_put(&own, MI_BLOCK(1), 1, 8);
    own_put(&own, MI_BLOCK(2), 1, 8);
    own_put(&own, MI_BLOCK(3), 1, 8);
    ck_assert_uint_eq(blocks(), 5);
    own_put(&own, MI_BLOCK(9), 0x1234567890abcdefull, 8);
    ck_assert_uint_eq(blocks(), 5);
    own_put(&own, MI_HEAP + 2840, MI_HEAP + 2840, 8); // the heap's list leads to itself
    ck_assert_uint_eq(blocks(), 6);
}
END_TEST

START_TEST(test_tables_that_do_not_fit)
{
    own_put(&own, MI_ENTRY(2) + 24, 9, 4); // more blocks are used than there are
    ck_assert_uint_eq(blocks(), 4);
    own_put(&own, MI_ENTRY(1) + 10, 0xffff, 2); // more blocks than the page has room for
    ck_assert_uint_eq(blocks(), 0);
    own_put(&own, MI_ENTRY(1), 0xffffffff, 4); // more slices than the segment
    ck_assert_uint_eq(blocks(), 0);
}
END_TEST

START_TEST(test_not_found)
{
    AUTO_BUF struct buf why = {0};
    own_put(&own, OWN_MEMORY + 208, 3, 8); // as many pages as there are not
    ck_assert_ptr_null(allocator_mimalloc.find(&own.target, &why));
    own_put(&own, OWN_MEMORY + 208, 2, 8);
    own_put(&own, MI_ENTRY(4), 507, 4); // the table ends before its end
    ck_assert_ptr_null(allocator_mimalloc.find(&own.target, &why));
    ck_assert_uint_eq(why.length, 0);
}
END_TEST

// A link is the address, combined with one key, turned and added to the other; the owner's own
// address stands for none.
START_TEST(test_encoded_links)
{
    const uint64_t keys[2] = {0x123456789abcdef0ull + 5, 0xfedcba9876543210ull};
    uint64_t turned = MI_BLOCK(1) ^ keys[1], by = keys[0] % 64;
    turned = turned << by | turned >> (64 - by);
    ck_assert_uint_eq(mimalloc_decode(turned + keys[0], MI_ENTRY(1), keys), MI_BLOCK(1));
    ck_assert_uint_eq(mimalloc_decode(turned + keys[0], MI_BLOCK(1), keys), 0);
    ck_assert_uint_eq(mimalloc_decode(42, MI_ENTRY(1), (uint64_t[2]){0}), 42);
    struct mimalloc_page page = {.size = 64, .keys = {keys[0], keys[1]}};
    uint64_t padding = 10ull << 32 | (uint32_t)(turned + keys[0]);
    ck_assert_uint_eq(mimalloc_usable(&page, MI_BLOCK(1), padding), 46);
    ck_assert_uint_eq(mimalloc_usable(&page, MI_BLOCK(1), padding ^ 1 << 16), 64);
    ck_assert_uint_eq(mimalloc_usable(&page, MI_BLOCK(1), padding + (100ull << 32)), 64);
}
END_TEST

Suite *suite_mimalloc(void)
{
    Suite *suite = suite_create("mimalloc");
    TCase *tests = tcase_create("tests");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, test_blocks);
    tcase_add_test(tests, test_figures);
    tcase_add_test(tests, test_lists_that_lead_elsewhere);
    tcase_add_test(tests, test_tables_that_do_not_fit);
    tcase_add_test(tests, test_not_found);
    tcase_add_test(tests, test_encoded_links);
    suite_add_tcase(suite, tests);
    return suite;
}
