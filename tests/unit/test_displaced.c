// SPDX-License-Identifier: MIT
#include "sample/displaced.h"

#include <check.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/task_file.h"
#include "skip.h"

START_TEST(reads_when_a_turn_began)
{
    ck_assert_uint_eq(task_file_exec_start("cat (1, #threads: 1)\n----\n"
                                           "se.exec_start      :        522516.700383\n"
                                           "se.vruntime        :         24791.734424\n"),
                      522516700383);
    ck_assert_uint_eq(task_file_exec_start("se.exec_start : 0.000001\n"), 1);
    ck_assert_uint_eq(task_file_exec_start("se.vruntime : 1.000001\n"), 0);
    ck_assert_uint_eq(task_file_exec_start("se.exec_start"), 0);
    ck_assert_uint_eq(task_file_exec_start("se.exec_start : 12"), 0);
    ck_assert_uint_eq(task_file_exec_start(""), 0);
}
END_TEST

static uint64_t own_start(void)
{
    char text[CLAIM_TEXT];
    AUTO_FD int fd = open("/proc/thread-self/sched", O_RDONLY);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    text[got > 0 ? got : 0] = '\0';
    return task_file_exec_start(text);
}

// The date of this kernel is one, and a new turn has a later one. Each CPU has a clock of its own,
// which leaves out what it spent on interrupts and what its host took: the thread stays on one.
START_TEST(a_turn_begins_later_than_the_one_before)
{
    cpu_set_t here;
    CPU_ZERO(&here);
    CPU_SET((size_t)sched_getcpu(), &here);
    ck_assert_int_eq(sched_setaffinity(0, sizeof here, &here), 0);
    uint64_t first = own_start();
    SKIP_IF(!first, "this kernel shows no task/TID/sched");
    for (int i = 0; i < 10; i++) {
        usleep(1000);
        uint64_t next = own_start();
        ck_assert_uint_gt(next, first);
        first = next;
    }
}
END_TEST

Suite *suite_displaced(void);

Suite *suite_displaced(void)
{
    TCase *tests = tcase_create("displaced");
    tcase_add_test(tests, reads_when_a_turn_began);
    tcase_add_test(tests, a_turn_begins_later_than_the_one_before);
    Suite *suite = suite_create("displaced");
    suite_add_tcase(suite, tests);
    return suite;
}
