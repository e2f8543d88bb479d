// SPDX-License-Identifier: MIT
#include <check.h>

#include "symbol/reader/intervals.h"

static struct intervals intervals;

static void teardown(void)
{
    intervals_fini(&intervals);
}

static void check(uint64_t address, uint32_t owner)
{
    ck_assert_uint_eq(intervals_find(&intervals, address), owner);
}

START_TEST(test_disjoint)
{
    check(100, INTERVALS_NONE);
    intervals_add(&intervals, 300, 400, 3);
    intervals_add(&intervals, 100, 200, 1);
    intervals_add(&intervals, 200, 250, 2);
    intervals_sort(&intervals);
    check(99, INTERVALS_NONE);
    check(100, 1);
    check(199, 1);
    check(200, 2);
    check(250, INTERVALS_NONE);
    check(399, 3);
    check(400, INTERVALS_NONE);
}
END_TEST

START_TEST(test_nested)
{
    intervals_add(&intervals, 100, 1000, 1);
    intervals_add(&intervals, 200, 300, 2);
    intervals_add(&intervals, 400, 500, 3);
    intervals_sort(&intervals);
    check(150, 1);
    check(250, 2);
    check(350, 1);
    check(999, 1);
    check(1000, INTERVALS_NONE);
}
END_TEST

START_TEST(test_what_is_no_code)
{
    intervals_add(&intervals, 0, 1 << 30, 1); // a discarded function
    intervals_add(&intervals, 500, 500, 2);
    intervals_add(&intervals, 600, 500, 3);
    intervals_add(&intervals, UINT64_MAX, 5, 4);
    intervals_sort(&intervals);
    check(500, INTERVALS_NONE);
    ck_assert_uint_eq(intervals.count, 0);
}
END_TEST

Suite *suite_intervals(void)
{
    Suite *suite = suite_create("intervals");
    TCase *cases = tcase_create("intervals");
    tcase_add_checked_fixture(cases, NULL, teardown);
    tcase_add_test(cases, test_disjoint);
    tcase_add_test(cases, test_nested);
    tcase_add_test(cases, test_what_is_no_code);
    suite_add_tcase(suite, cases);
    return suite;
}
