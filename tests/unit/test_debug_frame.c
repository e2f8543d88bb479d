// SPDX-License-Identifier: MIT
// Sections as compilers write them, for code whose truth is a stack made by hand.
#include "unwind/debug_frame.h"

#include <check.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fixture_code.h"
#include "unwind/unwinder.h"

#define LINKED 0x1000u       // where the code begins, link-time
#define BIAS (TEXT - LINKED)
#define SP 0x7ffd00001000u
#define WORDS 32

static struct buf section;

static void put(const void *bytes, size_t length)
{
    buf_append(&section, bytes, length);
}

static void put32(uint32_t value)
{
    put(&value, sizeof value);
}

static void put64(uint64_t value)
{
    put(&value, sizeof value);
}

// CFA = rsp + 8, return address below it, as gcc (1, 3) and clang (4) begin.
static void put_cie(unsigned version)
{
    static const char program[] = "\x0c\x07\x08\x90\x01\0\0\0"; // of eight bytes
    static const char *const heads[] = {[1] = "\1\0\1\x78\x10", [3] = "\3\0\1\x78\x10",
                                        [4] = "\4\0\x08\0\1\x78\x10"};
    static const size_t lengths[] = {[1] = 5, [3] = 5, [4] = 7};
    put32((uint32_t)(4 + lengths[version] + 8));
    put32(0xffffffff);
    put(heads[version], lengths[version]);
    put(program, 8);
}

static void put_fde(uint32_t cie, uint64_t start, uint64_t size, const char *program,
                    size_t length)
{
    put32((uint32_t)(4 + 16 + length));
    put32(cie);
    put64(start);
    put64(size);
    put(program, length);
}

static bool give_section(void *context, uint64_t pc, struct code_section *to)
{
    if (!fixture_is_text(context, pc))
        return false;
    *to = (struct code_section){TEXT, TEXT + TEXT_SIZE, BIAS,
                                (const unsigned char *)section.data, section.length};
    return true;
}

static const struct code_source source = {
    NULL, fixture_nothing, fixture_no_table, fixture_is_text, give_section, NULL, NULL};

static void set_up(void)
{
    buf_clear(&section);
}

static void tear_down(void)
{
    buf_fini(&section);
}

static struct capture *capture_new(const uint64_t *words, size_t count)
{
    struct capture *capture = fixture_capture(0x10, SP, words, count);
    capture->stack_asked = capture->stack_length = WORDS * 8;
    return capture;
}

// f keeps 8 bytes besides the return address; its caller g none; h is the root.
static const uint64_t stack[] = {77, TEXT + 0x105, TEXT + 0x205};

static void put_functions(uint32_t cie)
{
    put_fde(cie, LINKED + 0x200, 0x100, "\x07\x10\0\0", 4); // undefined return address
    put_fde(cie, LINKED, 0x100, "\x0e\x10\0\0", 4);         // CFA = rsp + 16
    put_fde(cie, LINKED + 0x100, 0x100, "\0\0\0\0", 4);
}

static void walk(enum unwind_end end, size_t count)
{
    AUTO_FREE struct capture *capture = capture_new(stack, ARRAY_LENGTH(stack));
    struct unwinder *unwinder = unwinder_new(&source, 100);
    for (int i = 0; i < 2; i++) { // the second time from libunwind's cache
        struct unwind_result result = unwinder_walk(unwinder, capture);
        ck_assert_int_eq(result.end, end);
        ck_assert_uint_eq(result.count, count);
        for (size_t k = 1; k < count; k++) {
            ck_assert_uint_eq(result.frames[k].pc, stack[k]);
            ck_assert_int_eq(result.frames[k].step, STEP_DEBUG_FRAME);
        }
        ck_assert_uint_eq(result.frame_pointer_steps, 0);
        if (i == 0)
            unwinder_flush(unwinder);
    }
    unwinder_free(unwinder);
}

START_TEST(versions)
{
    static const unsigned numbers[] = {1, 3, 4};
    put_cie(numbers[_i]);
    put_functions(0);
    walk(UNWIND_BOTTOM, 3);
}
END_TEST

START_TEST(second_cie)
{
    put_cie(1);
    uint32_t second = (uint32_t)section.length;
    put_cie(4);
    put_functions(second);
    walk(UNWIND_BOTTOM, 3);
}
END_TEST

START_TEST(gaps)
{
    put_cie(1);
    put_fde(0, LINKED, 0x100, "\x0e\x10\0\0", 4);
    put_fde(0, LINKED + 0x300, 0x100, "\0\0\0\0", 4);
    walk(UNWIND_NO_INFO, 2); // g is in no entry
}
END_TEST

static void damaged(void)
{
    AUTO_FREE struct capture *capture = capture_new(stack, ARRAY_LENGTH(stack));
    struct unwinder *unwinder = unwinder_new(&source, 100);
    struct unwind_result result = unwinder_walk(unwinder, capture);
    ck_assert_uint_ge(result.count, 1);
    ck_assert_uint_le(result.count, 100);
    unwinder_free(unwinder);
}

// Every byte of a sound section, damaged in several ways; and every length.
START_TEST(any_damage)
{
    static const unsigned char masks[] = {0x01, 0x40, 0x80, 0xff};
    put_cie(4);
    put_functions(0);
    size_t length = section.length;
    for (size_t at = 0; at < length; at++) {
        for (size_t i = 0; i < sizeof masks; i++) {
            section.data[at] ^= (char)masks[i];
            damaged();
            section.data[at] ^= (char)masks[i];
        }
        section.length = at;
        damaged();
        section.length = length;
    }
}
END_TEST

START_TEST(foreign_code)
{
    put_cie(1);
    put_fde(0, 0, 0x100, "\0\0\0\0", 4);
    put_fde(0, UINT64_MAX - 8, 0x100, "\0\0\0\0", 4);
    put_fde(0, LINKED, UINT64_MAX, "\0\0\0\0", 4);
    put_fde(1000, LINKED, 0x100, "\0\0\0\0", 4);
    walk(UNWIND_NO_INFO, 1);
}
END_TEST

Suite *suite_debug_frame(void);
Suite *suite_debug_frame(void)
{
    Suite *suite = suite_create("debug_frame");
    TCase *test = tcase_create("sections");
    tcase_add_checked_fixture(test, set_up, tear_down);
    tcase_add_loop_test(test, versions, 0, 3);
    tcase_add_test(test, second_cie);
    tcase_add_test(test, gaps);
    tcase_add_test(test, any_damage);
    tcase_add_test(test, foreign_code);
    suite_add_tcase(suite, test);
    return suite;
}
