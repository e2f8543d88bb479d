// SPDX-License-Identifier: MIT
#include "collect/thinning.h"

#include <check.h>

#include "base/clock.h"

static struct thinning thinning;
static int64_t now;

static bool chooses(double full, int64_t lag)
{
    now += NS_PER_MS;
    return thinning_chooses(&thinning, &(struct thinning_state){now, full, lag});
}

static void setup(void)
{
    thinning = (struct thinning){0};
    now = NS_PER_S;
}

START_TEST(takes_all_that_it_can)
{
    for (int i = 0; i < 5000; i++)
        ck_assert(chooses(0.1, NS_PER_MS));
    ck_assert_uint_eq(thinning_times(&thinning), 1);
    ck_assert_uint_eq(thinning_slowdown(&thinning), 1);
}
END_TEST

// Whatever comes, what is taken stands for all of it.
START_TEST(what_is_taken_stands_for_the_rest)
{
    double stands_for = 0, came = 200000, taken = 0;
    for (int i = 0; i < came; i++)
        if (chooses(i % 3000 < 40 ? 0.9 : i % 3000 < 300 ? 0.3 : 0, 0)) {
            stands_for += thinning_times(&thinning);
            taken++;
        }
    ck_assert_double_lt(taken, came - 1000);
    ck_assert_double_eq_tol(stands_for / came, 1, 0.05);
}
END_TEST

// A backlog that shrinks by itself is left to: to leave out more would only spread the weights.
START_TEST(no_more_is_left_out_than_needed)
{
    for (int i = 0; i < 25; i++)
        chooses(0.99, NS_PER_S);
    uint32_t times = thinning_times(&thinning);
    ck_assert_uint_gt(times, 1);
    for (int i = 0; i < 100; i++)
        chooses(0.99 - i * 0.002, NS_PER_S - i * NS_PER_MS);
    ck_assert_uint_eq(thinning_times(&thinning), times);
    for (int i = 0; i < 100; i++)
        chooses(0.99, NS_PER_S);
    ck_assert_uint_gt(thinning_times(&thinning), times);
}
END_TEST

START_TEST(rate_falls_and_rises_again)
{
    for (int i = 0; i < 5000; i++)
        chooses(0.9, 0);
    uint32_t slow = thinning_slowdown(&thinning);
    ck_assert_uint_ge(slow, 8);
    for (int i = 0; i < 40000; i++)
        chooses(0, 0);
    ck_assert_uint_eq(thinning_slowdown(&thinning), 1);
    ck_assert_uint_eq(thinning_times(&thinning), 1);
}
END_TEST

START_TEST(nothing_after_the_last_moment)
{
    struct ring ring = {.size = 1024};
    struct capture capture = {.time = clock_now()};
    ck_assert(thinning_takes(&thinning, &ring, &capture));
    thinning.last = clock_now() - 1;
    ck_assert(!thinning_takes(&thinning, &ring, &capture));
}
END_TEST

Suite *suite_thinning(void)
{
    Suite *suite = suite_create("thinning");
    TCase *cases = tcase_create("thinning");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, takes_all_that_it_can);
    tcase_add_test(cases, what_is_taken_stands_for_the_rest);
    tcase_add_test(cases, no_more_is_left_out_than_needed);
    tcase_add_test(cases, rate_falls_and_rises_again);
    tcase_add_test(cases, nothing_after_the_last_moment);
    suite_add_tcase(suite, cases);
    return suite;
}
