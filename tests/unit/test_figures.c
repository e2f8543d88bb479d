// SPDX-License-Identifier: MIT
#include "base/figures.h"

#include <check.h>

#include "base/clock.h"
#include "base/mem.h"

typedef const char *time_fn(int64_t ns, char text[FIGURES_MOST]);

static const struct {
    time_fn *format;
    int64_t ns;
    const char *text;
} times[] = {
    {figures_duration, 0, "0s"},
    {figures_duration, 999, "999ns"},
    {figures_duration, 1000, "1us"},
    {figures_duration, 1500, "1.5us"},
    {figures_duration, 38400, "38us"},
    {figures_duration, 999600, "1ms"},
    {figures_duration, 1900000, "1.9ms"},
    {figures_duration, 9960000, "10ms"},
    {figures_duration, 210000, "210us"},
    {figures_duration, 500ll * NS_PER_MS, "500ms"},
    {figures_duration, 12400ll * NS_PER_MS, "12.4s"},
    {figures_duration, 30ll * NS_PER_S, "30s"},
    {figures_duration, 59960ll * NS_PER_MS, "1m"},
    {figures_duration, 65ll * NS_PER_S, "1m5s"},
    {figures_duration, 3599600ll * NS_PER_MS, "1h"},
    {figures_duration, 5400ll * NS_PER_S, "1h30m"},
    {figures_duration, 100ll * 3600 * NS_PER_S, "100h"},
    {figures_three, 0, "0ns"},
    {figures_three, 999, "999ns"},
    {figures_three, 1000, "1.00us"},
    {figures_three, 38000, "38.0us"},
    {figures_three, 999499, "999us"},
    {figures_three, 999500, "1.00ms"},
    {figures_three, 1900000, "1.90ms"},
    {figures_three, 999600000, "1.00s"},
    {figures_three, 12400000000, "12.4s"},
    {figures_three, 99960000000, "100s"},
    {figures_three, 86400 * (int64_t)NS_PER_S, "86400s"},
    {figures_three, -5, "-5ns"},
    {figures_seconds, 0, ""},
    {figures_seconds, 5200ll * NS_PER_MS, "5.20s"},
    {figures_seconds, 9996ll * NS_PER_MS, "10.0s"},
    {figures_seconds, 99960ll * NS_PER_MS, "1m39s"},
    {figures_clock, -1, "0m00s"},
    {figures_clock, 725ll * NS_PER_S, "12m05s"},
    {figures_clock, 11520ll * NS_PER_S, "3h12m"},
    {figures_clock, 273600ll * NS_PER_S, "3d04h"},
    {figures_date, 1769850843ll * NS_PER_S, "2026-01-31T09:14:03Z"},
};

START_TEST(times_in_words)
{
    char text[FIGURES_MOST];
    ck_assert_str_eq(times[_i].format(times[_i].ns, text), times[_i].text);
}
END_TEST

static const struct {
    uint64_t bytes;
    char least;
    const char *text;
} sizes[] = {
    {0, 'B', "0B"},      {0, 'K', "0.0K"},     {999, 'B', "999B"},     {1000, 'B', "1.0K"},
    {1000, 'K', "1.0K"}, {10180, 'B', "9.9K"}, {10230, 'B', "10K"},    {655360, 'B', "640K"},
    {1023487, 'B', "999K"}, {1023488, 'B', "1.0M"}, {UINT64_MAX, 'B', "16E"},
};

START_TEST(sizes_in_words)
{
    char text[FIGURES_MOST];
    ck_assert_str_eq(figures_bytes(sizes[_i].bytes, sizes[_i].least, text), sizes[_i].text);
}
END_TEST

static const struct {
    int64_t value;
    const char *unit;
    bool plus;
    const char *text;
} values[] = {
    {1250, "nanoseconds", false, "1.25us"},
    {-1250, "microseconds", true, "-1.25ms"},
    {99949, "milliseconds", true, "+99.9s"},
    {100, "seconds", false, "1m40s"},
    {INT64_MAX, "seconds", false, "106751d23h"},
    {0, "nanoseconds", true, "0ns"},
    {-2048, "bytes", true, "-2.0K"},
    {INT64_MIN, "bytes", false, "-8.0E"},
    {999999, "count", true, "+999999"},
    {1234567, "count", false, "1.23M"},
    {-1000000, "", false, "-1.00M"},
    {INT64_MAX, "pages", false, "9.22E"},
};

START_TEST(values_in_their_units)
{
    char text[FIGURES_MOST];
    figures_value(values[_i].value, values[_i].unit, values[_i].plus, text);
    ck_assert_str_eq(text, values[_i].text);
}
END_TEST

START_TEST(parts_in_percent)
{
    ck_assert_double_eq(figures_percent(1, 8), 12.5);
    ck_assert_double_eq(figures_percent(0, 0), 0);
    ck_assert_double_eq(figures_percent(-1, 8), -12.5);
}
END_TEST

Suite *suite_figures(void);
Suite *suite_figures(void)
{
    Suite *suite = suite_create("figures");
    TCase *tests = tcase_create("figures");
    tcase_add_loop_test(tests, times_in_words, 0, ARRAY_LENGTH(times));
    tcase_add_loop_test(tests, sizes_in_words, 0, ARRAY_LENGTH(sizes));
    tcase_add_loop_test(tests, values_in_their_units, 0, ARRAY_LENGTH(values));
    tcase_add_test(tests, parts_in_percent);
    suite_add_tcase(suite, tests);
    return suite;
}
