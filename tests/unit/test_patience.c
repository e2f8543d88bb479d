// SPDX-License-Identifier: MIT
#include "base/patience.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"

static atomic_int worked, discarded;
static int release[2];

static void work(void *context)
{
    (void)context;
    worked++;
}

static void hang(void *context)
{
    char byte;
    (void)context;
    ck_assert_int_eq(read(release[0], &byte, 1), 1);
    worked++;
}

static void discard(void *context)
{
    (void)context;
    discarded++;
}

START_TEST(test_done)
{
    ck_assert(patience_call(work, discard, NULL, 60000));
    ck_assert_int_eq(worked, 1);
    ck_assert_int_eq(discarded, 0);
}
END_TEST

START_TEST(test_given_up)
{
    ck_assert_int_eq(pipe(release), 0);
    ck_assert(!patience_call(hang, discard, NULL, 10));
    ck_assert_int_eq(worked, 0);
    ck_assert_int_eq(write(release[1], "", 1), 1);
    while (!discarded)
        usleep(1000);
    ck_assert_int_eq(worked, 1);
}
END_TEST

static void hang_long(void *context)
{
    (void)context;
    pause();
}

static int64_t waited(int milliseconds)
{
    int64_t began = clock_now();
    ck_assert(!patience_call(hang_long, discard, NULL, milliseconds));
    return clock_now() - began;
}

// A bound for all of them ends those that wait already.
static void *set_bound(void *context)
{
    (void)context;
    usleep(100000);
    patience_until(clock_now());
    return NULL;
}

START_TEST(test_bound_of_all)
{
    pthread_t other;
    ck_assert_int_eq(pthread_create(&other, NULL, set_bound, NULL), 0);
    ck_assert_int_lt(waited(600000), 100ll * NS_PER_S);
    ck_assert_int_lt(waited(600000), 100ll * NS_PER_S);
    pthread_join(other, NULL);
    patience_until(0);
    ck_assert(patience_call(work, discard, NULL, 60000));
}
END_TEST

// While others hang: a thousand files that do not answer get little more than a few.
START_TEST(test_patience_gets_less)
{
    int64_t first = waited(2000);
    for (int i = 0; i < 8; i++)
        waited(64);
    int64_t last = first; // one of some: others may keep us from the CPU for longer than that
    for (int i = 0; i < 5 && last >= first / 2; i++)
        last = waited(2000);
    ck_assert_int_lt(last, first / 2);
}
END_TEST

Suite *suite_patience(void)
{
    Suite *suite = suite_create("patience");
    TCase *cases = tcase_create("patience");
    tcase_add_test(cases, test_done);
    tcase_add_test(cases, test_given_up);
    tcase_add_test(cases, test_bound_of_all);
    tcase_add_test(cases, test_patience_gets_less);
    suite_add_tcase(suite, cases);
    return suite;
}
