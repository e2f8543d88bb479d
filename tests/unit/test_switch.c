// SPDX-License-Identifier: MIT
// A function that calls on another stack, as Go's runtime has them, and both stacks made by hand.
#include "unwind/switch.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "sample/stack_capture.h"
#include "fixture_code.h"

#define SP 0x7ffd00001000u    // of the stack that the call was made on
#define FRAME 0x7ffc00002000u // of the function that changed it, on the other one
#define WORDS 8
#define SWITCHER 0x100u // behind TEXT
#define LEAF 0x200u
#define CALLER 0x305u // a return address behind a call of SWITCHER
#define STRANGER 0x405u // behind another call
#define FAR_AWAY 0x905u // behind one, of a function too far from the code that changed the stack

// The code that changes the stack, up to its call; the address behind that.
static uint64_t put_switcher(const void *code, size_t length)
{
    memset(fixture_text, 0xcc, sizeof fixture_text);
    memcpy(fixture_text + SWITCHER, code, length);
    memcpy(fixture_text + LEAF, "\x5d\xc3", 2);                 // pop %rbp; ret
    memcpy(fixture_text + CALLER, "\xb8\x3c\0\0\0\x0f\x05", 7); // the thread's end
    fixture_put_call(CALLER, SWITCHER);
    fixture_put_call(STRANGER, STRANGER);
    fixture_put_call(FAR_AWAY, 0x600);
    return TEXT + SWITCHER + length;
}

#define SWITCH(...)                                                                                \
    put_switcher((const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__}))
#define LOAD 0x48, 0x8b, 0x62, 0x38 // mov 0x38(%rdx),%rsp
#define CALL 0xff, 0xd7             // call *%rdi

struct stacks {
    uint64_t first[WORDS], second[WORDS];
    bool has_second;
};

// The leaf is about to return.
static struct unwind_result walk(const struct stacks *stacks)
{
    static struct unwind_frame frames[16];
    AUTO_FREE struct capture *capture = xcalloc(1, sizeof *capture + 2 * WORDS * 8);
    struct unwinder *unwinder = unwinder_new(&fixture_source, ARRAY_LENGTH(frames));
    capture->regs = registers_at(TEXT + LEAF, SP);
    capture->stack_length = WORDS * 8;
    capture->stack_asked = WORDS * 8 + 8; // there is no more
    memcpy(capture->stack, stacks->first, WORDS * 8);
    memcpy(capture->stack + WORDS * 8, stacks->second, WORDS * 8);
    if (stacks->has_second) {
        capture->windows[0] = (struct stack_window){
            WINDOW_POINTER | SP, FRAME, FRAME, WORDS * 8, WORDS * 8 + 8};
        capture->window_count = 1;
    }
    struct unwind_result result = unwinder_walk(unwinder, capture);
    memcpy(frames, result.frames, result.count * sizeof *frames);
    result.frames = frames;
    unwinder_free(unwinder);
    return result;
}

// The way to the caller leads over the frame pointer that the callee saved.
START_TEST(both_stacks)
{
    uint64_t back = SWITCH(LOAD, CALL);
    struct stacks stacks = {{FRAME, back}, {0, TEXT + CALLER}, true};
    struct unwind_result result = walk(&stacks);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.count, 3);
    ck_assert_uint_eq(result.frames[1].pc, back);
    ck_assert_uint_eq(result.frames[2].pc, TEXT + CALLER);
    ck_assert_uint_eq(result.frames[2].sp, FRAME + 16);
    ck_assert_int_eq(result.frames[2].step, STEP_SWITCH);
    ck_assert_uint_eq(result.second_at, 0);
}
END_TEST

START_TEST(where_to_look_next_time)
{
    uint64_t back = SWITCH(LOAD, CALL);
    struct stacks stacks = {{FRAME, back}, {0}, false};
    struct unwind_result result = walk(&stacks);
    ck_assert_int_eq(result.end, UNWIND_ELSEWHERE);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_uint_eq(result.second_at, SP);
    ck_assert_int_eq(result.second_hop, 0);
    stacks.first[0] = 0; // the callee saved none
    result = walk(&stacks);
    ck_assert_int_eq(result.end, UNWIND_ELSEWHERE);
    ck_assert_uint_eq(result.second_at, 0);
}
END_TEST

// As asmcgocall: the description of the other stack was put beside the call.
START_TEST(description_of_the_stack)
{
    uint64_t back = SWITCH(LOAD, 0x48, 0x89, 0x7c, 0x24, 0x08, CALL); // mov %rdi,8(%rsp)
    struct stacks stacks = {{1, back, 2, 0xc000001000}, {0, TEXT + CALLER}, false};
    struct unwind_result result = walk(&stacks);
    ck_assert_int_eq(result.end, UNWIND_ELSEWHERE);
    ck_assert_uint_eq(result.second_at, SP + 24);
    ck_assert_int_eq(result.second_hop, 0x38);
    stacks.has_second = true; // the sampler found what lies there
    result = walk(&stacks);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
    ck_assert_uint_eq(result.frames[2].pc, TEXT + CALLER);
    stacks = (struct stacks){{1, back, 2, 3}, {0}, false}; // no address
    ck_assert_uint_eq(walk(&stacks).second_at, 0);
}
END_TEST

static const uint64_t strangers[] = {TEXT + STRANGER, TEXT + FAR_AWAY, TEXT + LEAF, 5, 0};

START_TEST(no_caller_that_did_not_call)
{
    uint64_t back = SWITCH(LOAD, CALL);
    struct stacks stacks = {{FRAME, back}, {0, strangers[_i]}, true};
    struct unwind_result result = walk(&stacks);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_int_eq(result.end, UNWIND_ELSEWHERE);
}
END_TEST

START_TEST(a_stack_of_its_own)
{
    uint64_t back = SWITCH(LOAD, 0x31, 0xed, CALL); // xor %ebp,%ebp
    struct stacks stacks = {{0, back}, {0, TEXT + CALLER}, true};
    struct unwind_result result = walk(&stacks);
    ck_assert_uint_eq(result.count, 2);
    ck_assert_int_eq(result.end, UNWIND_BOTTOM);
}
END_TEST

START_TEST(in_circles)
{
    uint64_t back = SWITCH(LOAD, 0xe8, 0xf7, 0xff, 0xff, 0xff); // calls itself
    struct stacks stacks = {{FRAME, back}, {FRAME, back}, true};
    struct unwind_result result = walk(&stacks);
    ck_assert_int_eq(result.end, UNWIND_ELSEWHERE);
    ck_assert_uint_lt(result.count, 12);
}
END_TEST

Suite *suite_switch(void);

Suite *suite_switch(void)
{
    Suite *suite = suite_create("switch");
    TCase *tcase = tcase_create("switch");
    tcase_add_test(tcase, both_stacks);
    tcase_add_test(tcase, where_to_look_next_time);
    tcase_add_test(tcase, description_of_the_stack);
    tcase_add_loop_test(tcase, no_caller_that_did_not_call, 0, ARRAY_LENGTH(strangers));
    tcase_add_test(tcase, a_stack_of_its_own);
    tcase_add_test(tcase, in_circles);
    suite_add_tcase(suite, tcase);
    return suite;
}
