// SPDX-License-Identifier: MIT
// Code without tables in which a call is about to return, on a stack made by hand.
#include "unwind/epilogue.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_code.h"
#include "unwind/unwinder.h"

#define SP 0x7ffd00001000u

static const char *code; // that lies at every address
static size_t code_length;

static size_t give_code(void *context, uint64_t address, void *to, size_t length)
{
    (void)context, (void)address;
    length = length < code_length ? length : code_length;
    memcpy(to, code, length);
    return length;
}

static const struct code_source source = {
    .read = fixture_nothing,
    .table = fixture_no_table,
    .executable = fixture_is_text,
    .made = give_code,
};

// Walks with `words` on the stack, of which `copied` are there; the pc of each step is checked.
static void walk(const char *bytes, size_t length, const uint64_t *words, size_t copied,
                 enum unwind_end end, const uint64_t *pcs, size_t count)
{
    AUTO_FREE struct capture *capture = fixture_capture(0x10, SP, words, copied);
    struct unwinder *unwinder = unwinder_new(&source, 100);
    code = bytes;
    code_length = length;
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_int_eq(result.end, end);
    ck_assert_uint_eq(result.count, count + 1);
    for (size_t i = 0; i < count; i++) {
        ck_assert_uint_eq(result.frames[i + 1].pc, pcs[i]);
        ck_assert_int_eq(result.frames[i + 1].step, STEP_CALL);
    }
    unwinder_free(unwinder);
}

#define WALK(bytes, words, copied, end, ...)                                                       \
    walk(bytes, sizeof bytes - 1, words, copied, end, (const uint64_t[]){__VA_ARGS__},             \
         sizeof((uint64_t[]){__VA_ARGS__}) / 8)

static const uint64_t chain[] = {1, TEXT + 0x20, 2, TEXT + 0x30, 3, 4, 5};

// add $8,%rsp; ret: as Python's trampolines end.
START_TEST(test_addition)
{
    WALK("\x48\x83\xc4\x08\xc3", chain, 6, UNWIND_NO_INFO, TEXT + 0x20, TEXT + 0x30);
    WALK("\x48\x81\xc4\x08\0\0\0\xc3", chain, 6, UNWIND_NO_INFO, TEXT + 0x20, TEXT + 0x30);
}
END_TEST

START_TEST(test_pops)
{
    WALK("\x5b\xc3", chain, 6, UNWIND_NO_INFO, TEXT + 0x20, TEXT + 0x30);
    WALK("\x41\x5f\xc3 and what follows", chain, 6, UNWIND_NO_INFO, TEXT + 0x20, TEXT + 0x30);
    WALK("\x48\x83\xc4\x08\x5d\x41\x5c\xc3", chain, 6, UNWIND_SHORT, TEXT + 0x30);
}
END_TEST

// What is copied ends below a return address: more would help.
START_TEST(test_short)
{
    WALK("\x48\x83\xc4\x08\xc3", chain, 3, UNWIND_SHORT, TEXT + 0x20);
}
END_TEST

START_TEST(test_no_epilogue)
{
    static const char *const others[] = {
        "\x90\xc3",                 // nop
        "\x48\x83\xc4\xf8\xc3",     // takes more of the stack
        "\x5c\xc3",                 // pop %rsp
        "\x48\x83\xc4\x08\xc2\x08", // ret $8
        "\x48\x83\xc4\x08", "\x48\x83\xc4", "\x48\x81\xc4\x08", "\x41", "\x5b", "",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        walk(others[i], strlen(others[i]), chain, 6, UNWIND_NO_INFO, NULL, 0);
}
END_TEST

Suite *suite_epilogue(void)
{
    Suite *suite = suite_create("epilogue");
    TCase *cases = tcase_create("epilogue");
    tcase_add_test(cases, test_addition);
    tcase_add_test(cases, test_pops);
    tcase_add_test(cases, test_short);
    tcase_add_test(cases, test_no_epilogue);
    suite_add_tcase(suite, cases);
    return suite;
}
