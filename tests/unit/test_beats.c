// SPDX-License-Identifier: MIT
#include "monitor/beats.h"

#include <check.h>

#include "base/clock.h"

#define SECOND ((int64_t)NS_PER_S)

static struct beats beats;
static struct run run;
static int64_t now;

static void set_up(void)
{
    beats_init(&beats);
    run = (struct run){0};
    now = 0;
}

// A second in which the most-held thread was held for that percent of it.
static void beat(double percent)
{
    now += SECOND;
    run.counts[COUNTER_ROUNDS] += 100;
    run.counts[COUNTER_LATE] += 10;
    run.counts[COUNTER_STOPS] += 50;
    run.counts[COUNTER_FAILED] += 1;
    run.counts[COUNTER_SAMPLES] += 50;
    run.counts[COUNTER_CUT] += 5;
    beats_add(&beats, now, &run, (int64_t)(percent / 100 * NS_PER_S),
              (int64_t)(2 * percent / 100 * NS_PER_S));
}

START_TEST(numbers_of_the_last_seconds)
{
    struct snapshot snapshot = {0};
    for (int i = 0; i < 30; i++)
        beat(0.5);
    beats_copy(&beats, &snapshot);
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
        beat(cases[i].percent);
        beats_copy(&beats, &snapshot);
        ck_assert_int_eq(snapshot.verdict, cases[i].verdict);
    }
}
END_TEST

START_TEST(backs_off_after_three_seconds)
{
    beat(6);
    ck_assert(!beats_back_off(&beats));
    beat(6);
    ck_assert(!beats_back_off(&beats));
    beat(4); // not in a row
    beat(6);
    beat(6);
    ck_assert(!beats_back_off(&beats));
    beat(6);
    ck_assert(beats_back_off(&beats));
    ck_assert_uint_eq(beats.slowdown, 2);
    ck_assert(!beats_back_off(&beats)); // once
    for (int i = 0; i < 3; i++)
        beat(6);
    ck_assert(beats_back_off(&beats));
    ck_assert_uint_eq(beats.slowdown, 4);
}
END_TEST

START_TEST(does_not_go_on_for_ever)
{
    int times = 0;
    for (int i = 0; i < 300; i++) {
        beat(50);
        times += beats_back_off(&beats);
    }
    ck_assert_int_eq(times, 6);
    ck_assert_uint_eq(beats.slowdown, SLOWEST);
}
END_TEST

START_TEST(a_reset_is_no_negative_count)
{
    struct snapshot snapshot = {0};
    for (int i = 0; i < 20; i++)
        beat(0.5);
    run = (struct run){0};
    now = 0;
    beats_restart(&beats);
    beat(0.5);
    beats_copy(&beats, &snapshot);
    ck_assert_double_eq_tol(snapshot.achieved, 100, 1e-9);
    ck_assert_double_eq_tol(snapshot.late, 10, 1e-9);
}
END_TEST

START_TEST(cpu_by_the_second)
{
    struct snapshot snapshot = {0};
    beats_cpu(&beats, SECOND, 5000000000);
    for (int64_t i = 1; i <= CPU_HISTORY + 3; i++)
        beats_cpu(&beats, (i + 1) * SECOND, 5000000000 + (uint64_t)(i * 2) * NS_PER_S);
    beats_copy(&beats, &snapshot);
    ck_assert_uint_eq(snapshot.cpu_count, CPU_HISTORY);
    ck_assert_double_eq_tol(snapshot.cpu_percent, 200, 1e-6);
    beats_cpu(&beats, (CPU_HISTORY + 5) * SECOND, 0); // another process ended
    beats_copy(&beats, &snapshot);
    ck_assert_double_eq_tol(snapshot.cpu_percent, 0, 1e-6);
}
END_TEST

Suite *suite_beats(void);

Suite *suite_beats(void)
{
    TCase *tests = tcase_create("beats");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, numbers_of_the_last_seconds);
    tcase_add_test(tests, verdicts);
    tcase_add_test(tests, backs_off_after_three_seconds);
    tcase_add_test(tests, does_not_go_on_for_ever);
    tcase_add_test(tests, a_reset_is_no_negative_count);
    tcase_add_test(tests, cpu_by_the_second);
    Suite *suite = suite_create("beats");
    suite_add_tcase(suite, tests);
    return suite;
}
