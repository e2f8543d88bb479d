// SPDX-License-Identifier: MIT
#include "session/stack_hint.h"

#include <check.h>

static struct stack_hint hint;

static void set_up(void)
{
    hint = (struct stack_hint){0};
}

static uint32_t learn(uint32_t needed, enum unwind_end end)
{
    struct unwind_result stack = {.end = end, .stack_needed = needed};
    return stack_hint_learn(&hint, &stack);
}

START_TEST(a_new_thread_is_copied_generously)
{
    ck_assert_uint_gt(learn(3000, UNWIND_BOTTOM), 32 << 10);
    for (int i = 0; i < 30; i++)
        learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_lt(learn(3000, UNWIND_BOTTOM), 8 << 10);
    ck_assert_uint_gt(learn(3000, UNWIND_BOTTOM), 3000);
}
END_TEST

START_TEST(a_deep_stack_is_remembered_for_long)
{
    for (int i = 0; i < 100; i++)
        learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_ge(learn(100000, UNWIND_BOTTOM), 125000);
    for (int i = 0; i < 20; i++)
        learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_gt(learn(3000, UNWIND_BOTTOM), 100000);
}
END_TEST

START_TEST(after_a_stack_that_was_cut_comes_all_there_is)
{
    learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_eq(learn(60000, UNWIND_SHORT), 1 << 20);
}
END_TEST

START_TEST(never_more_than_the_sampler_can_copy_and_never_next_to_nothing)
{
    ck_assert_uint_eq(learn(UINT32_MAX / 2, UNWIND_LIMIT), 1 << 20);
    set_up();
    for (int i = 0; i < 5000; i++)
        learn(0, UNWIND_NO_INFO);
    ck_assert_uint_eq(learn(0, UNWIND_NO_INFO), 4 << 10);
}
END_TEST

Suite *suite_stack_hint(void);

Suite *suite_stack_hint(void)
{
    Suite *suite = suite_create("stack_hint");
    TCase *tcase = tcase_create("stack_hint");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_new_thread_is_copied_generously);
    tcase_add_test(tcase, a_deep_stack_is_remembered_for_long);
    tcase_add_test(tcase, after_a_stack_that_was_cut_comes_all_there_is);
    tcase_add_test(tcase, never_more_than_the_sampler_can_copy_and_never_next_to_nothing);
    suite_add_tcase(suite, tcase);
    return suite;
}
