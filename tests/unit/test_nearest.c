// SPDX-License-Identifier: MIT
// Which name somebody meant who mistyped it.
#include "base/nearest.h"

#include <check.h>

#include "base/mem.h"

static const char *const names[] = {"comm", "exe", "cmdline", "user", "cgroup", "container"};

START_TEST(what_is_near_is_named)
{
    static const char *const cases[][2] = {
        {"com", "comm"},       {"ocmm", "comm"},      {"ex", "exe"},      {"cmd_line", "cmdline"},
        {"usr", "user"},       {"cgruop", "cgroup"},  {"comm", "comm"},
        {"conatiner", "container"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        ck_assert_str_eq(nearest_name(cases[i][0], names, ARRAY_LENGTH(names)), cases[i][1]);
}
END_TEST

START_TEST(what_is_far_is_not)
{
    static const char *const words[] = {"", "x", "namespace", "conspicuously-long-and-wrong"};
    for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
        ck_assert_ptr_null(nearest_name(words[i], names, ARRAY_LENGTH(names)));
    ck_assert_ptr_null(nearest_name("comm", names, 0));
}
END_TEST

Suite *suite_nearest(void)
{
    Suite *suite = suite_create("nearest");
    TCase *all = tcase_create("all");
    tcase_add_test(all, what_is_near_is_named);
    tcase_add_test(all, what_is_far_is_not);
    suite_add_tcase(suite, all);
    return suite;
}
