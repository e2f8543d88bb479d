// SPDX-License-Identifier: MIT
// A walk of three frames by hand: a return address, a saved frame pointer that points into the
// stack, another return address. Which captures count as the same?
#include "unwind/memo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define STACK 256u
#define PC 0x401000u
#define SP 0x7f0000001000u
#define OTHER_SP 0x7f0000105000u
#define RETURN_AT 8u
#define FRAME_AT 16u
#define ROOT_AT 64u

Suite *suite_memo(void);

static struct memo memo;
static struct capture *capture;
static struct unwind_frame *found;
static size_t room;

static void put_word(uint64_t above, uint64_t value)
{
    memcpy(capture->stack + above, &value, sizeof value);
}

static void make_capture(uint64_t sp)
{
    memset(capture, 0, sizeof *capture + STACK);
    capture->flags = CAPTURE_IN_PLACE;
    capture->stack_length = capture->stack_asked = STACK;
    capture->regs = registers_at(PC, sp);
    put_word(RETURN_AT, 0x402000);
    put_word(FRAME_AT, sp + 48);
    put_word(ROOT_AT, 0x403000);
}

static void note(uint64_t above)
{
    uint64_t value;
    memcpy(&value, capture->stack + above, sizeof value);
    memo_note(&memo, capture_sp(capture) + above, value);
}

static void walk(enum unwind_end end)
{
    struct unwind_frame frames[] = {
        {.pc = PC, .interrupted = true, .sp = capture_sp(capture)},
        {.pc = 0x402000, .sp = capture_sp(capture) + 16},
        {.pc = 0x403000, .sp = capture_sp(capture) + 72},
    };
    memo_begin(&memo, capture);
    note(RETURN_AT);
    note(FRAME_AT);
    note(ROOT_AT);
    memo_keep(&memo, &(struct unwind_result){.frames = frames, .count = 3, .end = end});
}

static bool finds(struct unwind_result *result)
{
    result->frames = found;
    bool is_known = memo_find(&memo, capture, result, &room);
    found = result->frames;
    return is_known;
}

static void setup(void)
{
    capture = calloc(1, sizeof *capture + STACK);
    make_capture(SP);
    walk(UNWIND_BOTTOM);
}

static void teardown(void)
{
    memo_fini(&memo);
    memset(&memo, 0, sizeof memo);
    free(capture);
    free(found);
    found = NULL;
    room = 0;
}

START_TEST(another_stack)
{
    struct unwind_result result;
    make_capture(OTHER_SP);
    put_word(32, 0xabcdef); // nobody looked at it
    ck_assert(finds(&result));
    ck_assert_uint_eq(result.count, 3);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.frames[0].sp, OTHER_SP);
    ck_assert_uint_eq(result.frames[2].sp, OTHER_SP + 72);
    ck_assert_uint_eq(result.frames[2].pc, 0x403000);
    ck_assert(result.frames[0].interrupted);
}
END_TEST

static const struct other {
    uint64_t above, value, sp;
} others[] = {
    {RETURN_AT, 0x402008, OTHER_SP},    // another caller
    {FRAME_AT, SP + 48, OTHER_SP},      // into the stack that was walked, not into this one
    {FRAME_AT, OTHER_SP + 56, OTHER_SP}, // a frame pointer elsewhere
    {STACK - 8, 0, OTHER_SP + 8},       // the stack pointer aligned differently
};

START_TEST(differs)
{
    struct unwind_result result;
    make_capture(others[_i].sp);
    put_word(others[_i].above, others[_i].value);
    ck_assert(!finds(&result));
}
END_TEST

START_TEST(other_captures)
{
    struct unwind_result result;
    capture->regs.user.rip++;
    ck_assert(!finds(&result));
    make_capture(OTHER_SP);
    capture->stack_length = ROOT_AT;
    ck_assert(!finds(&result));
    make_capture(OTHER_SP);
    capture->flags = 0; // stopped: its registers count too
    ck_assert(!finds(&result));
    make_capture(OTHER_SP);
    memo_flush(&memo);
    ck_assert(!finds(&result));
}
END_TEST

START_TEST(not_kept)
{
    struct unwind_result result;
    memo_flush(&memo);
    walk(UNWIND_NO_INFO);
    ck_assert(!finds(&result));
    capture->flags = 0;
    walk(UNWIND_BOTTOM);
    capture->flags = CAPTURE_IN_PLACE;
    ck_assert(!finds(&result));
    walk(UNWIND_BOTTOM);
    ck_assert(finds(&result));
}
END_TEST

START_TEST(many)
{
    struct unwind_result result;
    for (uint64_t i = 0; i < 5000; i++) {
        put_word(RETURN_AT, 0x500000 + i);
        walk(UNWIND_BOTTOM);
        ck_assert(finds(&result));
    }
}
END_TEST

Suite *suite_memo(void)
{
    Suite *suite = suite_create("memo");
    TCase *cases = tcase_create("memo");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, another_stack);
    tcase_add_loop_test(cases, differs, 0, sizeof others / sizeof others[0]);
    tcase_add_test(cases, other_captures);
    tcase_add_test(cases, not_kept);
    tcase_add_test(cases, many);
    suite_add_tcase(suite, cases);
    return suite;
}
