// SPDX-License-Identifier: MIT
#include "collect/stack_windows.h"

#include <check.h>

#define SP 0x7ffd00001000u
#define HELD 4096u // bytes of the first piece

static struct stack_windows windows;
static struct stack_plan plan;
static struct capture capture;

static void set_up(void)
{
    windows = (struct stack_windows){0};
    capture = (struct capture){
        .regs = registers_at(0, SP), .stack_length = HELD, .stack_asked = HELD};
}

static bool learn(const struct unwind_result *stack)
{
    bool more = stack_windows_learn(&windows, &capture, stack);
    stack_windows_plan(&windows, &plan);
    return more;
}

static bool miss(uint64_t address)
{
    struct unwind_result stack = {.end = UNWIND_SHORT, .missed = address};
    return learn(&stack);
}

// As the next capture would hold the window.
static void hold(unsigned number, uint64_t anchor, uint32_t length)
{
    capture.windows[number] = (struct stack_window){
        plan.places[number], anchor, anchor, length, plan.lengths[number]};
    capture.window_count = number + 1;
}

START_TEST(what_was_missed_gets_a_window)
{
    ck_assert(miss(SP + (2 << 20)));
    ck_assert_uint_eq(plan.places[0], (SP + (2 << 20)) | WINDOW_AT);
    ck_assert_uint_gt(plan.lengths[0], 0);
    hold(0, SP + (2 << 20), plan.lengths[0]);
    ck_assert(miss(SP + (9 << 20))); // and a second one
    ck_assert_uint_eq(plan.places[1], (SP + (9 << 20)) | WINDOW_AT);
}
END_TEST

START_TEST(what_moves_with_the_stack_pointer)
{
    miss(SP + (2 << 20));
    capture.regs.user.rsp -= 4096;
    ck_assert(miss(SP - 4096 + (2 << 20)));
    ck_assert_uint_eq(plan.places[1], (2 << 20) | WINDOW_ABOVE_SP);
}
END_TEST

START_TEST(right_behind_the_first_piece_more_of_it_is_wanted)
{
    struct unwind_result stack = {.end = UNWIND_SHORT, .missed = SP + HELD + 8};
    ck_assert(stack_windows_is_behind(&capture, &stack));
    ck_assert(!learn(&stack));
    ck_assert_uint_eq(plan.places[0], 0);
    capture.stack_asked = 2 * HELD; // unless pages are missing there
    ck_assert(!stack_windows_is_behind(&capture, &stack));
    ck_assert(learn(&stack));
    ck_assert_uint_ne(plan.places[0], 0);
}
END_TEST

START_TEST(right_behind_a_window_it_grows)
{
    uint64_t far = SP + (2 << 20);
    miss(far);
    uint32_t length = plan.lengths[0];
    for (int i = 0; i < 10; i++) {
        hold(0, far, plan.lengths[0]);
        miss(far + plan.lengths[0]);
    }
    ck_assert_uint_gt(plan.lengths[0], length);
    ck_assert_uint_le(plan.lengths[0], WINDOW_MAX);
    ck_assert_uint_eq(plan.places[0], far | WINDOW_AT);
}
END_TEST

START_TEST(where_nothing_is_nothing_more_is_asked_for)
{
    uint64_t far = SP + (2 << 20);
    miss(far);
    hold(0, far, 0);
    struct stack_plan before = plan;
    ck_assert(!miss(far));
    ck_assert_mem_eq(&plan, &before, sizeof plan);
}
END_TEST

START_TEST(signal_frame)
{
    struct unwind_result stack = {.end = UNWIND_BAD_READ, .second_at = SP + 512};
    ck_assert(learn(&stack));
    ck_assert(!learn(&stack)); // asked for already
    ck_assert_uint_eq(plan.places[0], (SP + 512) | WINDOW_POINTER);
    ck_assert_uint_eq(plan.places[1], 0);
}
END_TEST

START_TEST(the_one_that_is_used_least_makes_room)
{
    struct unwind_result used = {.end = UNWIND_BOTTOM, .windows_used = 1};
    for (uint64_t i = 0; i < STACK_WINDOWS; i++)
        miss(SP + ((2 + i * i) << 20));
    hold(0, SP + (2 << 20), plan.lengths[0]);
    learn(&used);
    uint64_t first = plan.places[0];
    for (uint64_t i = 0; i < 3; i++)
        miss(SP + ((100 + i * i) << 20));
    ck_assert_uint_eq(plan.places[0], first);
}
END_TEST

START_TEST(one_that_is_not_used_is_forgotten)
{
    struct unwind_result stack = {.end = UNWIND_BOTTOM};
    miss(SP + (2 << 20));
    for (int i = 0; i < 1000; i++)
        learn(&stack);
    ck_assert_uint_eq(plan.places[0], 0);
}
END_TEST

Suite *suite_stack_windows(void);

Suite *suite_stack_windows(void)
{
    Suite *suite = suite_create("stack_windows");
    TCase *tcase = tcase_create("stack_windows");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, what_was_missed_gets_a_window);
    tcase_add_test(tcase, what_moves_with_the_stack_pointer);
    tcase_add_test(tcase, right_behind_the_first_piece_more_of_it_is_wanted);
    tcase_add_test(tcase, right_behind_a_window_it_grows);
    tcase_add_test(tcase, where_nothing_is_nothing_more_is_asked_for);
    tcase_add_test(tcase, signal_frame);
    tcase_add_test(tcase, the_one_that_is_used_least_makes_room);
    tcase_add_test(tcase, one_that_is_not_used_is_forgotten);
    suite_add_tcase(suite, tcase);
    return suite;
}
