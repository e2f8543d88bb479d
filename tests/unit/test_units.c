// SPDX-License-Identifier: MIT
// Values of profiles in words.
#include "base/units.h"

#include <check.h>
#include <inttypes.h>

#include "base/mem.h"

START_TEST(values_are_written_as_pprof_writes_them)
{
    static const struct {
        int64_t value;
        const char *from, *to, *text;
    } cases[] = {
        {0, "nanoseconds", UNITS_AUTO, "0"},
        {170000000, "nanoseconds", UNITS_AUTO, "170ms"},
        {170000000, "nanoseconds", "s", "0.17s"},
        {1234567890, "nanoseconds", UNITS_AUTO, "1.23s"},
        {-1234567890, "nanoseconds", UNITS_AUTO, "-1.23s"},
        {1, "nanoseconds", "s", "0"},
        {-1, "nanoseconds", "s", "0"},
        {7200, "seconds", UNITS_AUTO, "2hrs"},
        {7, "ms", "us", "7000us"},
        {1536, "bytes", UNITS_AUTO, "1.50kB"},
        {1536, "BYTES", "seconds", "1536B"},
        {537395200, "byte", "MB", "512.50MB"},
        {42, "count", "count", "42"},
        {42, "count", UNITS_AUTO, "42"},
        {42, "objects", "objects", "42objects"},
        {42, "a\x1b", "a\x1b", "42a\\x1b"},
        {3, "GCU", "milligcu", "3000m*GCU"},
        {INT64_MIN, "count", "count", "-9223372036854775808"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        AUTO_BUF struct buf text = {0};
        units_label(&text, cases[i].value, cases[i].from, cases[i].to);
        ck_assert_str_eq(text.data, cases[i].text);
    }
}
END_TEST

START_TEST(one_unit_is_good_for_all_values)
{
    ck_assert_str_eq(units_common(10, 20, "count"), "count");
    ck_assert_str_eq(units_common(10000000, 900000000, "nanoseconds"), "ms");
    ck_assert_str_eq(units_common(10000000, 2000000000, "nanoseconds"), "s");
    ck_assert_str_eq(units_common(50000000, 2000000000, "nanoseconds"), "ms");
    ck_assert_str_eq(units_common(1, INT64_MAX, "bytes"), "B");
    ck_assert_str_eq(units_common(INT64_MAX, INT64_MAX, "bytes"), "PB");
}
END_TEST

START_TEST(shares_have_two_figures_at_least)
{
    static const struct {
        int64_t value, all;
        const char *text;
    } cases[] = {
        {0, 0, "    0%"},       {1, 0, "    0%"},        {0, 5, "    0%"},
        {1, 17, " 5.88%"},      {1, 1, "  100%"},        {-1, 3, "33.33%"},
        {99949, 100000, "99.95%"}, {9996, 10000, "  100%"}, {3, 1, "300.00%"},
        {7, 2, "350.00%"},       {1, 300, " 0.33%"},      {1, 100000, "0.001%"},
        {1, 100000000, "1e-06%"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        char text[UNITS_PERCENT];
        ck_assert_str_eq(units_percent(cases[i].value, cases[i].all, text), cases[i].text);
    }
}
END_TEST

Suite *suite_units(void);

Suite *suite_units(void)
{
    TCase *tests = tcase_create("units");
    tcase_add_test(tests, values_are_written_as_pprof_writes_them);
    tcase_add_test(tests, one_unit_is_good_for_all_values);
    tcase_add_test(tests, shares_have_two_figures_at_least);
    Suite *suite = suite_create("units");
    suite_add_tcase(suite, tests);
    return suite;
}
