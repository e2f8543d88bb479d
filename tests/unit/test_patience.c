// SPDX-License-Identifier: MIT
#include "base/patience.h"

#include <check.h>
#include <stdatomic.h>
#include <unistd.h>

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

Suite *suite_patience(void)
{
    Suite *suite = suite_create("patience");
    TCase *cases = tcase_create("patience");
    tcase_add_test(cases, test_done);
    tcase_add_test(cases, test_given_up);
    suite_add_tcase(suite, cases);
    return suite;
}
