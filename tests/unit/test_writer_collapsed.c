// SPDX-License-Identifier: MIT
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_profile.h"

#define MANY 1000000

static struct fixture fixture;

static void set_up(void)
{
    fixture_init(&fixture, MANY);
}

static void tear_down(void)
{
    fixture_fini(&fixture);
}

START_TEST(collapsed_is_what_was_agreed)
{
    fixture_fill(&fixture);
    AUTO_FREE char *text = fixture_write(&fixture, "collapsed", NULL);
    fixture_golden("profile.folded", text);
}
END_TEST

START_TEST(wall_time_is_in_microseconds)
{
    fixture_fill_wall(&fixture);
    AUTO_FREE char *text = fixture_write(&fixture, "collapsed", NULL);
    ck_assert_str_eq(text, "split;main;wait;sys_futex 1475000\n"
                           "split;main;work_cold 120000\n"
                           "split;main;work_hot 405000\n"
                           "split;start;nap;sys_clock_nanosleep 2000000\n");
}
END_TEST

START_TEST(an_idle_target_gives_an_empty_file)
{
    AUTO_FREE char *text = fixture_write(&fixture, "collapsed", NULL);
    ck_assert_str_eq(text, "");
}
END_TEST

START_TEST(a_number_at_the_end_of_a_leaf_is_guarded)
{
    static const struct {
        const char *stack, *line;
    } cases[] = {
        {"worker 7", "p_1;worker_7 1\n"},
        {"worker  7", "p_1;worker _7 1\n"},
        {"f 7.", "p_1;f_7. 1\n"},
        {"f 7.25", "p_1;f_7.25 1\n"},
        {"f .5", "p_1;f .5 1\n"},
        {"f 1.2.3", "p_1;f 1.2.3 1\n"},
        {"7", "p_1;7 1\n"},
        {"f 7x", "p_1;f 7x 1\n"},
        {"x 1|f", "p_1;x 1;f 1\n"},
        {"x||f", "p_1;x;[unknown];f 1\n"},
        {"a;b", "p_1;a:b 1\n"},
        {"a\tb\nc", "p_1;a\\x09b\\x0ac 1\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct fixture one;
        fixture_init(&one, MANY);
        uint32_t thread = profile_thread_add(one.profile, 1, 1, "t", "p 1");
        fixture_add(&one, thread, cases[i].stack, 1, 1);
        AUTO_FREE char *text = fixture_write(&one, "collapsed", NULL);
        ck_assert_str_eq(text, cases[i].line);
        fixture_fini(&one);
    }
}
END_TEST

START_TEST(equal_stacks_of_threads_are_one_line)
{
    uint32_t one = profile_thread_add(fixture.profile, 1, 1, "one", "p");
    uint32_t two = profile_thread_add(fixture.profile, 1, 2, "two", "p");
    uint32_t nameless = profile_thread_add(fixture.profile, 3, 3, "", "");
    fixture_add(&fixture, one, "main|work", 2, 0);
    fixture_add(&fixture, two, "main|work", 3, 0);
    fixture_add(&fixture, nameless, "main|work", 4, 0);
    AUTO_FREE char *text = fixture_write(&fixture, "collapsed", NULL);
    ck_assert_str_eq(text, "[unknown];main;work 4\np;main;work 5\n");
}
END_TEST

Suite *suite_writer_collapsed(void);

Suite *suite_writer_collapsed(void)
{
    TCase *tests = tcase_create("writer_collapsed");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, collapsed_is_what_was_agreed);
    tcase_add_test(tests, wall_time_is_in_microseconds);
    tcase_add_test(tests, an_idle_target_gives_an_empty_file);
    tcase_add_test(tests, a_number_at_the_end_of_a_leaf_is_guarded);
    tcase_add_test(tests, equal_stacks_of_threads_are_one_line);
    Suite *suite = suite_create("writer_collapsed");
    suite_add_tcase(suite, tests);
    return suite;
}
