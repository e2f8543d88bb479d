// SPDX-License-Identifier: MIT
// Numbers of a front's questions.
#include "serve/front/waiting.h"

#include <check.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define FRONT (5u << ASK_FRONT_BITS)

static int ends[2];

static uint32_t ask(struct exchange *exchange)
{
    struct ask got;
    int text;
    *exchange = (struct exchange){.ask = {.what = ASK_PROFILE, .window = 1}};
    waiting_ask(exchange, -1);
    ck_assert_int_eq(ask_receive(ends[0], &got, &text), 1);
    ck_assert_uint_eq(got.id, exchange->ask.id);
    return got.id;
}

START_TEST(numbers_stay_those_of_the_front)
{
    struct exchange exchanges[4];
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    waiting_begin(ends[1], FRONT);
    ck_assert_uint_eq(ask(&exchanges[0]), FRONT | 1);
    waiting_begin(ends[1], FRONT | 0xfffffe); // as after so many
    ck_assert_uint_eq(ask(&exchanges[1]), FRONT | 0xffffff);
    ck_assert_uint_eq(ask(&exchanges[2]), FRONT | 2); // the first one still waits
    waiting_leave(&exchanges[0]);
    waiting_begin(ends[1], FRONT | 0xffffff);
    ck_assert_uint_eq(ask(&exchanges[3]), FRONT | 1);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

Suite *suite_waiting(void)
{
    Suite *suite = suite_create("waiting");
    TCase *all = tcase_create("all");
    tcase_add_test(all, numbers_stay_those_of_the_front);
    suite_add_tcase(suite, all);
    return suite;
}
