// SPDX-License-Identifier: MIT
// Trends of series whose slope is known.
#include "serve/trend.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/mem.h"

static uint64_t state = 88172645463325252u;

static double chance(void) // in [0, 1)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return (double)(state >> 11) / (1ull << 53);
}

static struct trend trend_with(size_t count, double slope, double noise, double outliers)
{
    struct trend trend;
    AUTO_FREE struct trend_point *points = xcalloc(count, sizeof *points);
    for (size_t i = 0; i < count; i++) {
        points[i].at = (double)i * 2;
        points[i].value = 1000 + slope * points[i].at + noise * (chance() - 0.5);
        if (chance() < outliers)
            points[i].value = 1e6 * chance();
    }
    trend_of(points, count, &trend);
    return trend;
}

START_TEST(line)
{
    struct trend trend = trend_with(50, 3, 0, 0);
    ck_assert_double_eq_tol(trend.slope, 3, 1e-9);
    ck_assert_double_eq_tol(trend.late_slope, 3, 1e-9);
    ck_assert_double_eq(trend.steady, 1);
    ck_assert_double_eq(trend.span, 98);
    ck_assert_uint_eq(trend.points, 50);
}
END_TEST

START_TEST(falls_and_stays)
{
    ck_assert_double_eq(trend_with(30, -2, 0, 0).steady, -1);
    struct trend flat = trend_with(30, 0, 0, 0);
    ck_assert_double_eq(flat.steady, 0);
    ck_assert_double_eq(flat.slope, 0);
    ck_assert_double_eq(flat.level, 1000);
}
END_TEST

// Of a thousand points a fifth may be anything.
START_TEST(outliers)
{
    struct trend trend = trend_with(1000, 3, 100, 0.2);
    ck_assert_double_eq_tol(trend.slope, 3, 0.15);
    ck_assert_double_gt(trend.steady, 0.8);
    ck_assert_uint_eq(trend.points, 1000);
}
END_TEST

START_TEST(noise_has_no_direction)
{
    struct trend trend = trend_with(1000, 0, 500, 0.1);
    ck_assert_double_le(fabs(trend.steady), 0.25);
}
END_TEST

START_TEST(growth_that_ends)
{
    struct trend_point points[200];
    struct trend trend;
    for (size_t i = 0; i < 200; i++)
        points[i] = (struct trend_point){(double)i, i < 60 ? 100.0 * (double)i : 6000};
    trend_of(points, 200, &trend);
    ck_assert_double_eq(trend.late_slope, 0);
}
END_TEST

START_TEST(too_few)
{
    ck_assert_uint_eq(trend_with(3, 1, 0, 0).points, 0);
    struct trend_point same[5] = {{1, 1}, {1, 2}, {1, 3}, {1, 4}, {1, 5}};
    struct trend trend;
    trend_of(same, 5, &trend);
    ck_assert_double_eq(trend.slope, 0); // no time passed
}
END_TEST

Suite *suite_trend(void)
{
    Suite *suite = suite_create("trend");
    TCase *tests = tcase_create("trend");
    tcase_add_test(tests, line);
    tcase_add_test(tests, falls_and_stays);
    tcase_add_test(tests, outliers);
    tcase_add_test(tests, noise_has_no_direction);
    tcase_add_test(tests, growth_that_ends);
    tcase_add_test(tests, too_few);
    suite_add_tcase(suite, tests);
    return suite;
}
