// SPDX-License-Identifier: MIT
#include "monitor/gauges.h"

#include <check.h>

#include "base/clock.h"

#define SECOND ((int64_t)NS_PER_S)

static struct gauges gauges;
static struct run run;
static int64_t now;

static void set_up(void)
{
    gauges_init(&gauges);
    run = (struct run){0};
    now = 0;
}

// A second in which the most-held thread was held for that percent of it.
static void second_passes(double percent)
{
    now += SECOND;
    run.counts[COUNTER_ROUNDS] += 100;
    run.counts[COUNTER_LATE] += 10;
    run.counts[COUNTER_STOPS] += 50;
    run.counts[COUNTER_FAILED] += 1;
    run.counts[COUNTER_SAMPLES] += 50;
    run.counts[COUNTER_CUT] += 5;
    gauges_add(&gauges, now, &run, (int64_t)(percent / 100 * NS_PER_S),
               (int64_t)(2 * percent / 100 * NS_PER_S));
}

START_TEST(numbers_of_the_last_seconds)
{
    struct snapshot snapshot = {0};
    for (int i = 0; i < 30; i++)
        second_passes(0.5);
    gauges_copy(&gauges, &snapshot);
    ck_assert_double_eq_tol(snapshot.achieved, 100, 1e-9);
    ck_assert_double_eq_tol(snapshot.late, 10, 1e-9);
    ck_assert_double_eq_tol(snapshot.failed, 2, 1e-9);
    ck_assert_double_eq_tol(snapshot.cut, 10, 1e-9);
    ck_assert_double_eq_tol(snapshot.overhead, 0.5, 1e-6);
    ck_assert_double_eq_tol(snapshot.overhead_process, 1, 1e-6);
    ck_assert_int_eq(snapshot.verdict, OVERHEAD_OK);
}
END_TEST

START_TEST(verdicts)
{
    static const struct {
        double percent;
        enum overhead verdict;
    } cases[] = {{0.9, OVERHEAD_OK}, {1.1, OVERHEAD_HIGH}, {4.9, OVERHEAD_HIGH},
                 {5.1, OVERHEAD_TOO_HIGH}};
    for (size_t i = 0; i < 4; i++) {
        struct snapshot snapshot = {0};
        set_up();
        second_passes(cases[i].percent);
        gauges_copy(&gauges, &snapshot);
        ck_assert_int_eq(snapshot.verdict, cases[i].verdict);
    }
}
END_TEST

START_TEST(backs_off_after_three_seconds)
{
    second_passes(6);
    ck_assert(!gauges_back_off(&gauges));
    second_passes(6);
    ck_assert(!gauges_back_off(&gauges));
    second_passes(4); // not in a row
    second_passes(6);
    second_passes(6);
    ck_assert(!gauges_back_off(&gauges));
    second_passes(6);
    ck_assert(gauges_back_off(&gauges));
    ck_assert_uint_eq(gauges.slowdown, 2);
    ck_assert(!gauges_back_off(&gauges)); // once
    for (int i = 0; i < 3; i++)
        second_passes(6);
    ck_assert(gauges_back_off(&gauges));
    ck_assert_uint_eq(gauges.slowdown, 4);
}
END_TEST

START_TEST(does_not_go_on_for_ever)
{
    int times = 0;
    for (int i = 0; i < 300; i++) {
        second_passes(50);
        times += gauges_back_off(&gauges);
    }
    ck_assert_int_eq(times, 6);
    ck_assert_uint_eq(gauges.slowdown, SLOWEST);
}
END_TEST

START_TEST(a_reset_is_no_negative_count)
{
    struct snapshot snapshot = {0};
    for (int i = 0; i < 20; i++)
        second_passes(0.5);
    run = (struct run){0};
    now = 0;
    gauges_restart(&gauges);
    second_passes(0.5);
    gauges_copy(&gauges, &snapshot);
    ck_assert_double_eq_tol(snapshot.achieved, 100, 1e-9);
    ck_assert_double_eq_tol(snapshot.late, 10, 1e-9);
}
END_TEST

START_TEST(cpu_by_the_second)
{
    struct snapshot snapshot = {0};
    gauges_cpu(&gauges, SECOND, 5000000000);
    for (int64_t i = 1; i <= CPU_HISTORY + 3; i++)
        gauges_cpu(&gauges, (i + 1) * SECOND, 5000000000 + (uint64_t)(i * 2) * NS_PER_S);
    gauges_copy(&gauges, &snapshot);
    ck_assert_uint_eq(snapshot.cpu_count, CPU_HISTORY);
    ck_assert_double_eq_tol(snapshot.cpu_percent, 200, 1e-6);
    gauges_cpu(&gauges, (CPU_HISTORY + 5) * SECOND, 0); // another process ended
    gauges_copy(&gauges, &snapshot);
    ck_assert_double_eq_tol(snapshot.cpu_percent, 0, 1e-6);
}
END_TEST

Suite *suite_gauges(void);

Suite *suite_gauges(void)
{
    TCase *tests = tcase_create("gauges");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, numbers_of_the_last_seconds);
    tcase_add_test(tests, verdicts);
    tcase_add_test(tests, backs_off_after_three_seconds);
    tcase_add_test(tests, does_not_go_on_for_ever);
    tcase_add_test(tests, a_reset_is_no_negative_count);
    tcase_add_test(tests, cpu_by_the_second);
    Suite *suite = suite_create("gauges");
    suite_add_tcase(suite, tests);
    return suite;
}
