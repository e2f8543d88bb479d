// SPDX-License-Identifier: MIT
#include "dump/dumper_child.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

START_TEST(of_a_thread_that_could_not_be_read_no_call_is_known)
{
    struct dumper dumper = {.pid = getpid()};
    dumper_give_up(&dumper, getpid());
    ck_assert_uint_eq(dumper.count, 1);
    ck_assert_int_eq(dumper.seen[0].thread.problem, DUMP_UNREAD);
    ck_assert_int_eq(dumper.seen[0].call.number, WAIT_CALL_UNKNOWN);
    ck_assert_str_ne(dumper.seen[0].thread.comm, "");
    free(dumper.seen);
    map_fini(&dumper.index);
}
END_TEST

Suite *suite_dumper(void);

Suite *suite_dumper(void)
{
    Suite *suite = suite_create("dumper");
    TCase *tests = tcase_create("dumper");
    tcase_add_test(tests, of_a_thread_that_could_not_be_read_no_call_is_known);
    suite_add_tcase(suite, tests);
    return suite;
}
