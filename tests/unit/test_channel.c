// SPDX-License-Identifier: MIT
// Descriptors that come over channels: no peer can make us keep more than we asked for.
#include "reader/channel.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "serve/ask.h"

#define SENT_MOST 3

static int ends[2];

static void setup(void)
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
}

static void teardown(void)
{
    close(ends[0]);
    close(ends[1]);
}

static int lowest_free(void)
{
    int fd = dup(STDERR_FILENO);
    close(fd);
    return fd;
}

static void send_descriptors(size_t count)
{
    union {
        char bytes[CMSG_SPACE(SENT_MOST * sizeof(int))];
        struct cmsghdr head;
    } control = {0};
    struct iovec part = {(char[]){"x"}, 1};
    struct msghdr whole = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                           .msg_controllen = CMSG_SPACE(count * sizeof(int))};
    control.head = (struct cmsghdr){.cmsg_len = CMSG_LEN(count * sizeof(int)),
                                    .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(&control.head) + i * sizeof(int), &ends[0], sizeof ends[0]);
    ck_assert_int_eq(sendmsg(ends[0], &whole, 0), 1);
}

START_TEST(one_descriptor_is_kept)
{
    char byte;
    int fd;
    send_descriptors(1);
    ck_assert_int_eq(channel_receive(ends[1], &byte, 1, &fd), 1);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
    close(fd);
    send_descriptors(1);
    ck_assert_int_eq(channel_receive(ends[1], &byte, 1, NULL), 1);
    ck_assert_int_eq(lowest_free(), fd);
}
END_TEST

START_TEST(several_are_closed_and_refused)
{
    int free_one = lowest_free();
    for (size_t count = 2; count <= SENT_MOST; count++) {
        char byte;
        int fd;
        send_descriptors(count);
        ck_assert_int_eq(channel_receive(ends[1], &byte, 1, &fd), -1);
        ck_assert_int_eq(fd, -1);
        ck_assert_int_eq(lowest_free(), free_one);
    }
}
END_TEST

// Who asks is told that there are too many, and is not taken for somebody who breaks the rules.
START_TEST(answer_whose_memory_has_no_room_is_a_failure)
{
    struct rlimit before, none;
    struct answer_head answer = {.id = 1, .size = 1};
    int fd;
    ck_assert(answer_send(ends[0], &answer, ends[0]));
    getrlimit(RLIMIT_NOFILE, &before);
    none = (struct rlimit){(rlim_t)lowest_free(), before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &none);
    int got = answer_receive(ends[1], &answer, &fd);
    setrlimit(RLIMIT_NOFILE, &before);
    ck_assert_int_eq(got, 1);
    ck_assert_int_eq(fd, -1);
    ck_assert_uint_eq(answer.rc, RC_LIMIT);
}
END_TEST

START_TEST(refused_question_keeps_no_descriptor)
{
    struct ask ask = {.what = ASK_COUNT};
    int fd, free_one = lowest_free();
    ck_assert(ask_send(ends[0], &ask, ends[0]));
    ck_assert_int_eq(ask_receive(ends[1], &ask, &fd), -1);
    ck_assert_int_eq(fd, -1);
    ck_assert_int_eq(lowest_free(), free_one);
}
END_TEST

Suite *suite_channel(void)
{
    Suite *suite = suite_create("channel");
    TCase *all = tcase_create("all");
    tcase_add_checked_fixture(all, setup, teardown);
    tcase_add_test(all, one_descriptor_is_kept);
    tcase_add_test(all, several_are_closed_and_refused);
    tcase_add_test(all, answer_whose_memory_has_no_room_is_a_failure);
    tcase_add_test(all, refused_question_keeps_no_descriptor);
    suite_add_tcase(suite, all);
    return suite;
}
