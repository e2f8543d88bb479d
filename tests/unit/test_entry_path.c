// SPDX-License-Identifier: MIT
// Code without tables that never returns, on a stack made by hand: who called it is found by the
// way from the call to it.
#include "unwind/entry_path.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_code.h"

#define SP 0x7ffd00001000u
#define CALLER 0x100u // return addresses, behind TEXT
#define OTHER 0x200u
#define EXITS 0x300u
#define CALLED 0x800u // the function that never returns

// The function's code up to a call, which is the last that it does; *pc: behind that call.
static uint32_t put_function(const void *code, size_t length)
{
    memset(fixture_text, 0xcc, sizeof fixture_text);
    memcpy(fixture_text + CALLED, code, length);
    memcpy(fixture_text + CALLED + length, "\xe8\0\0\0\0", 5);
    memcpy(fixture_text + EXITS, "\x41\xff\xd1\xb8\x3c\0\0\0\x0f\x05", 10); // call *%r9; it exits
    fixture_put_call(CALLER, CALLED);
    fixture_put_call(OTHER, OTHER); // to itself
    return CALLED + (uint32_t)length + 5;
}

static struct capture *capture_of(uint32_t pc, const uint64_t *words, size_t count)
{
    struct capture *capture = fixture_capture(pc, SP, words, count);
    capture->stack_asked += 8; // there is no more
    return capture;
}

static struct unwind_result walk(uint32_t pc, const uint64_t *words, size_t count)
{
    static struct unwind_frame frames[8];
    AUTO_FREE struct capture *capture = capture_of(pc, words, count);
    struct unwinder *unwinder = unwinder_new(&fixture_source, 8);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    memcpy(frames, result.frames, result.count * sizeof *frames);
    result.frames = frames;
    unwinder_free(unwinder);
    return result;
}

static void assert_caller(const struct unwind_result *result, uint32_t back, uint64_t words)
{
    ck_assert_uint_ge(result->count, 2);
    ck_assert_uint_eq(result->frames[1].pc, TEXT + back);
    ck_assert_uint_eq(result->frames[1].sp, SP + 8 * (words + 1));
}

#define FUNCTION(...)                                                                              \
    put_function((const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__}))

static const uint64_t stack[] = {7, TEXT + OTHER, 8, TEXT + CALLER, 9, 10};

START_TEST(straight_on)
{
    uint32_t pc = FUNCTION(0x55, 0x53, 0x48, 0x83, 0xec, 0x08); // push; push; sub $8
    struct unwind_result result = walk(pc, stack, ARRAY_LENGTH(stack));
    assert_caller(&result, CALLER, 3);
}
END_TEST

START_TEST(branches)
{
    // push; je over; push; push; over: sub $16
    uint32_t pc = FUNCTION(0x55, 0x74, 0x02, 0x53, 0x53, 0x48, 0x83, 0xec, 0x10);
    struct unwind_result result = walk(pc, stack, ARRAY_LENGTH(stack));
    assert_caller(&result, CALLER, 3);
}
END_TEST

// musl: lea main's starter,%rax; pop; jmp *%rax
START_TEST(jump_through_a_register)
{
    uint32_t pc = FUNCTION(0x53, 0x48, 0x8d, 0x05, 0x04, 0, 0, 0, 0x5b, 0xff, 0xe0, 0x06,
                           0x48, 0x83, 0xec, 0x18);
    struct unwind_result result = walk(pc, stack, ARRAY_LENGTH(stack));
    assert_caller(&result, CALLER, 3);
}
END_TEST

START_TEST(frame_pointers)
{
    // push %rbp; mov %rsp,%rbp; sub $64; lea -16(%rbp),%rsp
    uint32_t pc = FUNCTION(0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x40, 0x48, 0x8d, 0x65, 0xf0);
    struct unwind_result result = walk(pc, stack, ARRAY_LENGTH(stack));
    assert_caller(&result, CALLER, 3);
}
END_TEST

START_TEST(another_size)
{
    uint32_t pc = FUNCTION(0x55, 0x53); // takes two words
    struct unwind_result result = walk(pc, stack, ARRAY_LENGTH(stack));
    ck_assert_uint_eq(result.count, 1);
    ck_assert_int_ne(result.end, UNWIND_BOTTOM);
}
END_TEST

START_TEST(start_of_a_thread)
{
    static const uint64_t words[] = {7, 8, TEXT + EXITS + 3, 9};
    uint32_t pc = FUNCTION(0x06); // nobody can follow it
    struct unwind_result result = walk(pc, words, ARRAY_LENGTH(words));
    assert_caller(&result, EXITS + 3, 2);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
}
END_TEST

// What another return address says who lies between would be missing.
START_TEST(not_past_another_one)
{
    static const uint64_t words[] = {7, TEXT + OTHER, TEXT + EXITS + 3, 9};
    uint32_t pc = FUNCTION(0x06);
    struct unwind_result result = walk(pc, words, ARRAY_LENGTH(words));
    ck_assert_uint_eq(result.count, 1);
    ck_assert_int_eq(result.end, UNWIND_NO_INFO);
}
END_TEST

START_TEST(start_of_a_program)
{
    static const uint64_t words[] = {7, TEXT + OTHER, 1, SP + 900, 0, SP + 950, 0};
    uint32_t pc = FUNCTION(0x06);
    struct unwind_result result = walk(pc, words, ARRAY_LENGTH(words));
    assert_caller(&result, OTHER, 1);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
}
END_TEST

// The second time it is known how large the frame is; where another one called, it is looked for.
START_TEST(known_from_before)
{
    uint32_t pc = FUNCTION(0x55, 0x53, 0x48, 0x83, 0xec, 0x08);
    uint64_t words[ARRAY_LENGTH(stack)];
    fixture_put_call(0x400, CALLED);
    memcpy(words, stack, sizeof words);
    AUTO_FREE struct capture *capture = capture_of(pc, words, ARRAY_LENGTH(words));
    struct unwinder *unwinder = unwinder_new(&fixture_source, 8);
    for (int i = 0; i < 2; i++) {
        struct unwind_result result = unwinder_walk(unwinder, capture);
        assert_caller(&result, CALLER, 3);
    }
    words[3] = TEXT + 0x400;
    memcpy(capture->stack, words, sizeof words);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    assert_caller(&result, 0x400, 3);
    words[3] = 3;
    memcpy(capture->stack, words, sizeof words);
    ck_assert_uint_eq(unwinder_walk(unwinder, capture).count, 1);
    unwinder_free(unwinder);
}
END_TEST

// Any bytes: no read outside what is there, and it ends.
START_TEST(any_bytes)
{
    srand((unsigned)_i);
    unsigned char code[256];
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = (unsigned char)rand();
    uint32_t pc = put_function(code, sizeof code);
    ck_assert_uint_ge(walk(pc, stack, ARRAY_LENGTH(stack)).count, 1);
}
END_TEST

Suite *suite_entry_path(void);

Suite *suite_entry_path(void)
{
    Suite *suite = suite_create("entry_path");
    TCase *tcase = tcase_create("entry_path");
    tcase_add_test(tcase, straight_on);
    tcase_add_test(tcase, branches);
    tcase_add_test(tcase, jump_through_a_register);
    tcase_add_test(tcase, frame_pointers);
    tcase_add_test(tcase, another_size);
    tcase_add_test(tcase, start_of_a_thread);
    tcase_add_test(tcase, not_past_another_one);
    tcase_add_test(tcase, start_of_a_program);
    tcase_add_test(tcase, known_from_before);
    tcase_add_loop_test(tcase, any_bytes, 0, 100);
    suite_add_tcase(suite, tcase);
    return suite;
}
