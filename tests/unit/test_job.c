// SPDX-License-Identifier: MIT
// Jobs that wait: for the end of a window, for an order to finish, for nobody.
#include "serve/job.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

START_TEST(order_to_finish_ends_the_window)
{
    int ends[2];
    uint32_t partial = false;
    struct err err = {0};
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    struct job job = {.pid = getpid(), .channel = ends[1], .partial = &partial};
    ck_assert_int_eq(job_wait(&job, clock_now() + NS_PER_MS, &err), RC_OK);
    ck_assert_uint_eq(partial, false);
    ck_assert(ask_send(ends[0], &(struct ask){.what = ASK_FINISH}, -1));
    ck_assert_int_eq(job_wait(&job, INT64_MAX, &err), RC_OK);
    ck_assert_uint_eq(partial, true);
    ck_assert(!job_is_over(&job)); // the last look is a whole one
    close(ends[0]);
    ck_assert_int_eq(job_wait(&job, INT64_MAX, &err), RC_GONE);
    ck_assert_ptr_nonnull(strstr(err.text, "nobody waits"));
    close(ends[1]);
}
END_TEST

Suite *suite_job(void)
{
    Suite *suite = suite_create("job");
    TCase *all = tcase_create("all");
    tcase_add_test(all, order_to_finish_ends_the_window);
    suite_add_tcase(suite, all);
    return suite;
}
