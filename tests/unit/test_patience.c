// SPDX-License-Identifier: MIT
#include "base/patience.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <sys/wait.h>
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

static void note_thread(void *context)
{
    *(pid_t *)context = gettid();
}

static pid_t helper_now(void)
{
    pid_t helper = 0;
    ck_assert(patience_call(note_thread, discard, &helper, 60000));
    ck_assert_int_ne(helper, 0);
    ck_assert_int_ne(helper, gettid());
    return helper;
}

static void await_end(pid_t tid)
{
    while (tgkill(getpid(), tid, 0) == 0)
        usleep(1000);
}

// A helper that others keep from the CPUs may have ended between two calls, but not each time.
START_TEST(test_helper_stays)
{
    int same = 0;
    for (int i = 0; i < 100; i++)
        same += helper_now() == helper_now();
    ck_assert_int_gt(same, 0);
}
END_TEST

START_TEST(test_helper_that_is_not_asked_ends)
{
    await_end(helper_now());
    helper_now();
}
END_TEST

static void *help_another(void *context)
{
    *(pid_t *)context = helper_now();
    return NULL;
}

START_TEST(test_helper_ends_with_its_caller)
{
    pthread_t other;
    pid_t helper = 0;
    ck_assert_int_eq(pthread_create(&other, NULL, help_another, &helper), 0);
    pthread_join(other, NULL);
    ck_assert_int_ne(helper, helper_now());
    await_end(helper);
}
END_TEST

static atomic_int hanging;

static void hang_here(void *context)
{
    hanging = gettid();
    hang(context);
}

START_TEST(test_helper_that_hangs_is_not_asked)
{
    ck_assert_int_eq(pipe(release), 0);
    ck_assert(!patience_call(hang_here, discard, NULL, 10));
    pid_t other = helper_now();
    while (!hanging)
        usleep(1000);
    ck_assert_int_ne(other, hanging);
    ck_assert_int_eq(write(release[1], "", 1), 1);
    await_end(hanging);
    ck_assert_int_eq(discarded, 1);
}
END_TEST

// A process that is forked has no helper yet.
START_TEST(test_fork)
{
    int status = -1;
    helper_now();
    pid_t pid = fork();
    if (pid == 0)
        _exit(patience_call(work, discard, NULL, 60000) ? 0 : 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_eq(status, 0);
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
    worked = discarded = 0;
    ck_assert(!patience_call(work, discard, NULL, 60000)); // it is not even begun
    ck_assert_int_eq(worked, 0);
    ck_assert_int_eq(discarded, 1);
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
    tcase_add_test(cases, test_helper_stays);
    tcase_add_test(cases, test_helper_that_is_not_asked_ends);
    tcase_add_test(cases, test_helper_ends_with_its_caller);
    tcase_add_test(cases, test_helper_that_hangs_is_not_asked);
    tcase_add_test(cases, test_fork);
    tcase_add_test(cases, test_bound_of_all);
    tcase_add_test(cases, test_patience_gets_less);
    suite_add_tcase(suite, cases);
    return suite;
}
