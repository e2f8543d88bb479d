// SPDX-License-Identifier: MIT
// Code of a module without tables, whose way to its return is followed, on a stack made by hand.
#include "unwind/return_path.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

#include "base/mem.h"
#include "fixture_code.h"
#include "unwind/unwinder.h"
#include "unwind/x86_64/instruction.h"

#define SP 0x7ffd00001000u
#define WORDS 32
#define AT 0x10       // where the tested code begins, behind TEXT
#define CALLER 0x805u // behind a call; what follows there is no code
#define BACK (TEXT + CALLER)

struct step {
    enum unwind_end end;
    size_t count; // frames
    uint64_t pc, sp; // of the caller
};

// A thread that was read in place, with `words` on its stack, of which `copied` are there.
static struct step walk(const char *code, size_t length, const uint64_t *words, size_t copied)
{
    AUTO_FREE struct capture *capture = fixture_capture(AT, SP, words, copied);
    struct unwinder *unwinder = unwinder_new(&fixture_source, 100);
    memset(fixture_text, 0xcc, sizeof fixture_text);
    memcpy(fixture_text + AT, code, length);
    memcpy(fixture_text + CALLER - 5, "\xe8\0\0\0\0\x0f\x0b", 7); // call; ud2
    capture->flags = CAPTURE_IN_PLACE;
    struct unwind_result result = unwinder_walk(unwinder, capture);
    struct step step = {.end = result.end, .count = result.count};
    if (result.count > 1) {
        step.pc = result.frames[1].pc;
        step.sp = result.frames[1].sp;
    }
    unwinder_free(unwinder);
    return step;
}

static const uint64_t stack[] = {1, 2, BACK, 3, BACK, 4, 5};

#define FINDS(words, ...)                                                                          \
    do {                                                                                           \
        const unsigned char bytes[] = {__VA_ARGS__};                                               \
        struct step step = walk((const char *)bytes, sizeof bytes, stack, ARRAY_LENGTH(stack));    \
        ck_assert_uint_eq(step.count, 2);                                                          \
        ck_assert_uint_eq(step.pc, BACK);                                                          \
        ck_assert_uint_eq(step.sp, SP + 8 * ((words) + 1));                                        \
        ck_assert_int_eq(step.end, UNWIND_NO_INFO);                                                \
    } while (0)

#define FINDS_NOTHING(end_reason, ...)                                                             \
    do {                                                                                           \
        const unsigned char bytes[] = {__VA_ARGS__};                                               \
        struct step step = walk((const char *)bytes, sizeof bytes, stack, ARRAY_LENGTH(stack));    \
        ck_assert_uint_eq(step.count, 1);                                                          \
        ck_assert_int_eq(step.end, end_reason);                                                    \
    } while (0)

START_TEST(straight_on)
{
    FINDS(2, 0x48, 0x83, 0xc4, 0x10, 0xc3);                   // add $16,%rsp; ret
    FINDS(2, 0x48, 0x63, 0xf8, 0x59, 0x41, 0x5e, 0xf3, 0xc3); // movslq; pop; pop; rep ret
    FINDS(2, 0x48, 0x8d, 0x64, 0x24, 0x10, 0xc3);             // lea 16(%rsp),%rsp; ret
    FINDS(2, 0x6a, 0, 0xe8, 0, 0, 0, 0, 0x48, 0x83, 0xc4, 0x18, 0xc3); // push $0; call; add; ret
    FINDS(2, 0x58, 0x5a, 0xff, 0x25, 0, 0, 0, 0);             // pop; pop; jmp *slot
}
END_TEST

START_TEST(branches)
{
    FINDS(2, 0x75, 0x02, 0x59, 0x59, 0xc3);                         // jne past; pop; pop; ret
    FINDS(2, 0x74, 0x02, 0x0f, 0x0b, 0x59, 0x59, 0xc3);             // je; ud2; pop; pop; ret
    FINDS(2, 0xeb, 0x01, 0xcc, 0x59, 0x59, 0xc3);                   // jmp; int3; pop; pop; ret
    FINDS(2, 0x0f, 0x84, 1, 0, 0, 0, 0xf4, 0x58, 0x59, 0xc3);       // je; hlt; pop; pop; ret
    FINDS(2, 0x59, 0x85, 0xc0, 0x74, 0xfc, 0x59, 0xc3);             // pop; test; je back; pop; ret
}
END_TEST

// The stack pointer of before an alignment: the second word of the stack.
static const uint64_t aligned[] = {1, SP + 32, 3, 3, BACK, 4, 5};

#define ALIGNED(count_wanted, ...)                                                                 \
    do {                                                                                           \
        const unsigned char bytes[] = {__VA_ARGS__};                                               \
        struct step step =                                                                         \
            walk((const char *)bytes, sizeof bytes, aligned, ARRAY_LENGTH(aligned));               \
        ck_assert_uint_eq(step.count, count_wanted);                                               \
        ck_assert_uint_eq(step.sp, step.count > 1 ? SP + 40 : 0);                                  \
    } while (0)

#define KEPT 0x48, 0x8b, 0x74, 0x24, 0x08 // mov 8(%rsp),%rsi
#define BACK_FROM_RSI 0x48, 0x8d, 0x26, 0xc3 // lea (%rsi),%rsp; ret

START_TEST(stack_pointer_from_where_it_was_kept)
{
    ALIGNED(2, KEPT, BACK_FROM_RSI);
    ALIGNED(2, KEPT, 0x48, 0x89, 0xf4, 0xc3);                   // mov %rsi,%rsp; ret
    ALIGNED(2, 0x48, 0x8b, 0x64, 0x24, 0x08, 0xc3);             // mov 8(%rsp),%rsp; ret
    ALIGNED(2, KEPT, 0x4c, 0x8b, 0x7e, 0xf0, BACK_FROM_RSI);    // mov -16(%rsi),%r15
    ALIGNED(2, KEPT, 0x49, 0x89, 0xf3, 0x49, 0x8d, 0x23, 0xc3); // mov %rsi,%r11; lea (%r11),%rsp
    ALIGNED(2, KEPT, 0x0f, 0x28, 0xf0, BACK_FROM_RSI);          // movaps %xmm0,%xmm6
    ALIGNED(2, 0x48, 0x8d, 0x44, 0x24, 0x10, 0x48, 0x83, 0xc0, 0x10, // lea 16(%rsp),%rax; add
            0x48, 0x89, 0xc4, 0xc3);                                 // $16,%rax; mov %rax,%rsp
}
END_TEST

START_TEST(stack_pointer_that_nobody_can_tell)
{
    ALIGNED(1, BACK_FROM_RSI);                                  // it was not seen to come there
    ALIGNED(1, KEPT, 0x31, 0xf6, BACK_FROM_RSI);                // xor %esi,%esi
    ALIGNED(1, KEPT, 0x48, 0x0f, 0xaf, 0xf0, BACK_FROM_RSI);    // imul %rax,%rsi
    ALIGNED(1, KEPT, 0xe8, 0, 0, 0, 0, BACK_FROM_RSI);          // call
    ALIGNED(1, KEPT, 0xc4, 0xe2, 0xc8, 0xf3, 0xc8, BACK_FROM_RSI); // blsr %rax,%rsi
    ALIGNED(1, KEPT, 0x48, 0x8b, 0x76, 0xc0, BACK_FROM_RSI);    // from below the stack pointer
    ALIGNED(1, KEPT, 0x54, 0x5c, 0xc3);                         // push %rsp; pop %rsp
}
END_TEST

START_TEST(what_tells_nothing)
{
    FINDS_NOTHING(UNWIND_NO_INFO, 0xc3);                               // no code lies there
    FINDS_NOTHING(UNWIND_NO_INFO, 0x48, 0x83, 0xc4, 0x18, 0xc3);       // nor there
    FINDS_NOTHING(UNWIND_NO_INFO, 0xeb, 0xfe);                         // it never returns
    FINDS_NOTHING(UNWIND_NO_INFO, 0x48, 0x83, 0xe4, 0xf0, 0x59, 0xc3); // and $-16,%rsp
    FINDS_NOTHING(UNWIND_NO_INFO, 0x59, 0x59, 0x06, 0xc3);             // no instruction
    FINDS_NOTHING(UNWIND_NO_REGISTER, 0xc9, 0xc3);                     // leave: a stop would tell
}
END_TEST

START_TEST(address_that_no_call_has_left)
{
    uint64_t words[] = {BACK + 1, BACK};
    struct step step = walk("\xc3", 1, words, 2);
    ck_assert_uint_eq(step.count, 1);
}
END_TEST

START_TEST(short_copy)
{
    ck_assert_int_eq(walk("\x59\x59\xc3", 3, stack, 2).end, UNWIND_SHORT);
    ck_assert_int_eq(walk("\x59\x59\xc3", 3, stack, 3).count, 2);
}
END_TEST

// A handler returns to the code that asks the kernel for all registers, which lie on the stack.
START_TEST(signal_handlers)
{
    ucontext_t context = {0};
    AUTO_FREE struct capture *capture = xcalloc(1, sizeof *capture + sizeof context + WORDS * 8);
    struct unwinder *unwinder = unwinder_new(&fixture_source, 100);
    context.uc_mcontext.gregs[REG_RIP] = TEXT + AT;
    context.uc_mcontext.gregs[REG_RSP] = SP + 8 + sizeof context;
    memset(fixture_text, 0xcc, sizeof fixture_text);
    memcpy(fixture_text + AT, "\x59\xc3", 2); // pop; ret
    memcpy(fixture_text + 0x100, "\x48\xc7\xc0\x0f\0\0\0\x0f\x05", 9);
    memcpy(fixture_text + CALLER - 5, "\xe8\0\0\0\0\x0f\x0b", 7);
    uint64_t back = TEXT + 0x100, above[] = {0, BACK};
    memcpy(capture->stack, &back, 8);
    memcpy(capture->stack + 8, &context, sizeof context);
    memcpy(capture->stack + 8 + sizeof context, above, sizeof above);
    memcpy(fixture_text + 0x200, "\xff\x25\0\0\0\0", 6); // the handler: a stub
    capture->flags = CAPTURE_IN_PLACE;
    capture->regs = registers_at(TEXT + 0x200, SP);
    capture->stack_asked = capture->stack_length = (uint32_t)(8 + sizeof context + sizeof above);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_uint_eq(result.count, 4);
    ck_assert_uint_eq(result.frames[1].pc, back);
    ck_assert_uint_eq(result.frames[2].pc, TEXT + AT);
    ck_assert(result.frames[2].interrupted);
    ck_assert_uint_eq(result.frames[3].pc, BACK);
    capture->stack_asked = capture->stack_length = 64;
    ck_assert_int_eq(unwinder_walk(unwinder, capture).end, UNWIND_SHORT);
    unwinder_free(unwinder);
}
END_TEST

START_TEST(lengths)
{
    static const struct {
        size_t length;
        unsigned char code[INSTRUCTION_BYTES];
    } rows[] = {
        {1, {0x90}},
        {4, {0xf3, 0x0f, 0x1e, 0xfa}},
        {9, {0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0}},
        {10, {0x66, 0x2e, 0x0f, 0x1f, 0x84, 0, 0, 0, 0, 0}},
        {10, {0x48, 0xb8}},                         // movabs
        {5, {0xb8}},
        {5, {0x66, 0x81, 0xc1, 1, 2}},              // add $imm16,%cx
        {6, {0xf7, 0xc7, 4, 0, 0, 0}},              // test $4,%edi
        {2, {0xf7, 0xd8}},                          // neg %eax
        {6, {0xf0, 0x41, 0x0f, 0xb1, 0x76, 4}},     // lock cmpxchg
        {6, {0x66, 0x0f, 0x3a, 0x0f, 0xc1, 8}},     // palignr
        {5, {0x66, 0x0f, 0x38, 0, 0xc1}},           // pshufb
        {4, {0xc5, 0xfd, 0x6f, 0x07}},              // vmovdqa
        {3, {0xc5, 0xf8, 0x77}},                    // vzeroupper
        {6, {0xc4, 0xe3, 0x75, 0x0f, 0xc0, 1}},     // vpalignr
        {7, {0x48, 0x8d, 0x3d, 0, 0, 0, 0}},        // lea x(%rip),%rdi
        {8, {0x48, 0x8b, 0x84, 0x24, 0, 1, 0, 0}},  // mov 256(%rsp),%rax
    };
    struct instruction instruction;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        ck_assert(instruction_decode(rows[i].code, &instruction));
        ck_assert_uint_eq(instruction.length, rows[i].length);
    }
    ck_assert(!instruction_decode((const unsigned char[INSTRUCTION_BYTES]){0x06}, &instruction));
    ck_assert(!instruction_decode((const unsigned char[INSTRUCTION_BYTES]){0x62}, &instruction));
}
END_TEST

// Any bytes: no read outside what is there, and it ends.
START_TEST(any_bytes)
{
    srand((unsigned)_i);
    char code[256];
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = (char)rand();
    ck_assert_uint_ge(walk(code, sizeof code, stack, ARRAY_LENGTH(stack)).count, 1);
}
END_TEST

Suite *suite_return_path(void);

Suite *suite_return_path(void)
{
    Suite *suite = suite_create("return_path");
    TCase *tcase = tcase_create("return_path");
    tcase_add_test(tcase, straight_on);
    tcase_add_test(tcase, branches);
    tcase_add_test(tcase, stack_pointer_from_where_it_was_kept);
    tcase_add_test(tcase, stack_pointer_that_nobody_can_tell);
    tcase_add_test(tcase, what_tells_nothing);
    tcase_add_test(tcase, address_that_no_call_has_left);
    tcase_add_test(tcase, short_copy);
    tcase_add_test(tcase, signal_handlers);
    tcase_add_test(tcase, lengths);
    tcase_add_loop_test(tcase, any_bytes, 0, 200);
    suite_add_tcase(suite, tcase);
    return suite;
}
