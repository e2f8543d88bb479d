// SPDX-License-Identifier: MIT
#include "collect/stack_hint.h"

#include <check.h>

#define ROOT 0x7fff00000000u

static struct stack_hint hint;
static struct stack_plan plan; // what came of it

static void set_up(void)
{
    hint = (struct stack_hint){0};
}

// Of a capture that held so many bytes of the stack, all that were asked for.
static uint32_t learn_from(uint64_t sp, uint32_t held, const struct unwind_result *stack)
{
    struct capture capture = {
        .regs = registers_at(0, sp), .stack_length = held, .stack_asked = held};
    stack_hint_learn(&hint, &capture, stack);
    stack_hint_plan(&hint, &plan);
    return plan.bytes;
}

static uint32_t learn(uint32_t needed, enum unwind_end end)
{
    struct unwind_result stack = {
        .end = end,
        .stack_needed = needed,
        .root = end == UNWIND_BOTTOM ? ROOT : 0,
        .missed = end == UNWIND_SHORT ? ROOT : 0,
    };
    return learn_from(ROOT - needed, needed, &stack);
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

START_TEST(a_root_that_stays_is_told)
{
    learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_eq(plan.root, 0);
    learn(5000, UNWIND_BOTTOM);
    ck_assert_uint_eq(plan.root, ROOT);
    learn(200, UNWIND_NO_INFO); // tells nothing of it
    ck_assert_uint_eq(plan.root, ROOT);
}
END_TEST

START_TEST(a_root_that_stayed_for_long_is_believed_from_afar)
{
    for (int i = 0; i < 10; i++)
        learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_eq(plan.reach, 64 << 10);
    for (int i = 0; i < 10; i++)
        learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_eq(plan.reach, 1 << 20);
    struct unwind_result other = {.end = UNWIND_BOTTOM, .stack_needed = 500, .root = 0x10500};
    learn_from(0x10000, 500, &other);
    ck_assert_uint_eq(plan.reach, 64 << 10);
}
END_TEST

START_TEST(a_root_that_moves_is_not)
{
    for (uint64_t sp = 0x10000; sp < 0x90000; sp += 0x4000) {
        struct unwind_result stack = {
            .end = UNWIND_BOTTOM, .stack_needed = 1000, .root = sp + 1000};
        learn_from(sp, 1000, &stack);
        ck_assert_uint_eq(plan.root, 0);
    }
}
END_TEST

START_TEST(a_stack_that_goes_on_above_its_root_makes_it_unknown)
{
    learn(3000, UNWIND_BOTTOM);
    learn(3000, UNWIND_BOTTOM);
    learn(3100, UNWIND_SHORT);
    ck_assert_uint_eq(plan.root, 0);
    learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_eq(plan.root, 0);
}
END_TEST

START_TEST(pages_that_captures_held_are_there)
{
    struct unwind_result stack = {.end = UNWIND_NO_INFO};
    learn_from(ROOT - 3000, 2000, &stack);
    learn_from(ROOT - 9000, 6500, &stack);
    ck_assert_uint_eq(plan.there, ROOT - 9000);
    ck_assert_uint_eq(plan.there_end, ROOT - 1000);
    learn_from(0x10000, 500, &stack); // on another stack
    ck_assert_uint_eq(plan.there, 0x10000);
    ck_assert_uint_eq(plan.there_end, 0x10000 + 500);
}
END_TEST

START_TEST(a_capture_that_lacked_something_makes_another_version)
{
    learn(3000, UNWIND_BOTTOM);
    uint32_t version = plan.version;
    learn(3000, UNWIND_BOTTOM);
    ck_assert_uint_eq(plan.version, version);
    learn(3000, UNWIND_SHORT);
    ck_assert_uint_ne(plan.version, version);
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
    tcase_add_test(tcase, a_root_that_stays_is_told);
    tcase_add_test(tcase, a_root_that_stayed_for_long_is_believed_from_afar);
    tcase_add_test(tcase, a_root_that_moves_is_not);
    tcase_add_test(tcase, a_stack_that_goes_on_above_its_root_makes_it_unknown);
    tcase_add_test(tcase, pages_that_captures_held_are_there);
    tcase_add_test(tcase, a_capture_that_lacked_something_makes_another_version);
    suite_add_tcase(suite, tcase);
    return suite;
}
