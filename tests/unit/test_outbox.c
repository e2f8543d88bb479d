// SPDX-License-Identifier: MIT
#include "serve/outbox.h"

#include <check.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "reader/channel.h"

#define TRIED 20000 // more than goes into a socket and an outbox

static int ends[2];

static void setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    ck_assert_int_eq(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

START_TEST(all_come_in_order)
{
    struct outbox outbox = {0};
    int got;
    for (int i = 0; i < 1000; i++)
        ck_assert(outbox_send(&outbox, ends[0], &i, sizeof i, -1));
    ck_assert_ptr_nonnull(outbox.first);
    for (int i = 0; i < 1000; i++) {
        ck_assert_int_eq(channel_receive(ends[1], &got, sizeof got, NULL), sizeof got);
        ck_assert_int_eq(got, i);
        ck_assert(outbox_flush(&outbox, ends[0]));
    }
    ck_assert_ptr_null(outbox.first);
    ck_assert(!outbox_is_stuck(&outbox, 0));
}
END_TEST

START_TEST(who_takes_nothing_is_given_up)
{
    struct outbox outbox = {0};
    int sent = 0;
    while (sent < TRIED && outbox_send(&outbox, ends[0], &sent, sizeof sent, -1))
        sent++;
    ck_assert_int_lt(sent, TRIED);
    ck_assert(outbox_is_stuck(&outbox, INT64_MAX));
    outbox_fini(&outbox);
}
END_TEST

// Whoever takes one now and then lets the others wait.
START_TEST(each_has_waited_since_it_was_sent)
{
    struct outbox outbox = {0};
    int got;
    for (int i = 0; i < 1000; i++)
        ck_assert(outbox_send(&outbox, ends[0], &i, sizeof i, -1));
    usleep(20000);
    const struct outbox_message *first = outbox.first;
    while (outbox.first == first) {
        ck_assert_int_eq(channel_receive(ends[1], &got, sizeof got, NULL), sizeof got);
        ck_assert(outbox_flush(&outbox, ends[0]));
    }
    ck_assert_ptr_nonnull(outbox.first);
    ck_assert(outbox_is_stuck(&outbox, 20 * NS_PER_MS));
    outbox_fini(&outbox);
}
END_TEST

Suite *suite_outbox(void)
{
    Suite *suite = suite_create("outbox");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, all_come_in_order);
    tcase_add_test(all, who_takes_nothing_is_given_up);
    tcase_add_test(all, each_has_waited_since_it_was_sent);
    suite_add_tcase(suite, all);
    return suite;
}
