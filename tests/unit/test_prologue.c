// SPDX-License-Identifier: MIT
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_code.h"
#include "unwind/debug_frame.h"
#include "unwind/prologue.h"

static struct debug_frames none;
static struct code_memory memory = {.debug_frames = &none};

static void put(size_t at, const void *bytes, size_t length)
{
    code_memory_flush(&memory);
    memory.source.read = fixture_read;
    memcpy(fixture_text + at, bytes, length);
}

static bool size_of(const void *bytes, size_t length, uint64_t *size)
{
    memset(fixture_text, 0xcc, sizeof fixture_text);
    put(0, bytes, length);
    return prologue_frame_size(&memory, TEXT, size);
}

#define CODE(...)                                                                                  \
    ((const unsigned char[]){__VA_ARGS__}), sizeof((const unsigned char[]){__VA_ARGS__})

START_TEST(frames)
{
    uint64_t size;
    // As gcc writes it, other work in between; the branch ends it.
    ck_assert(size_of(CODE(0xf3, 0x0f, 0x1e, 0xfa, 0x55, 0x49, 0x89, 0xf3, 0x48, 0x89, 0xe5, 0x41,
                           0x57, 0x41, 0x56, 0x49, 0x89, 0xfe, 0x53, 0x49, 0xc7, 0xc0, 0xff, 0xff,
                           0xff, 0xff, 0x48, 0x83, 0xec, 0x68, 0x48, 0x89, 0x55, 0x80, 0x64, 0x48,
                           0x8b, 0x04, 0x25, 0x28, 0, 0, 0, 0x31, 0xc0, 0x78, 0x19, 0x53),
                      &size));
    ck_assert_uint_eq(size, 3 * 8 + 0x68);
    ck_assert(size_of(CODE(0x55, 0x48, 0x89, 0xe5, 0x48, 0x81, 0xec, 0, 0x10, 0, 0), &size));
    ck_assert_uint_eq(size, 0x1000);
    ck_assert(size_of(CODE(0x55, 0x48, 0x89, 0xe5, 0xb8, 1, 0, 0, 0, // mov $1,%eax
                           0x48, 0x83, 0xec, 0x20),
                      &size));
    ck_assert_uint_eq(size, 0x20);
    ck_assert(size_of(CODE(0x55, 0x48, 0x8b, 0xec), &size));
    ck_assert_uint_eq(size, 0);
}
END_TEST

START_TEST(no_frames)
{
    uint64_t size;
    ck_assert(!size_of(CODE(0x53, 0x48, 0x83, 0xec, 0x10), &size));             // no frame pointer
    ck_assert(!size_of(CODE(0x48, 0x89, 0xe5, 0x55), &size));                   // not saved first
    ck_assert(!size_of(CODE(0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xe4, 0xe0), &size)); // and rsp
    ck_assert(!size_of(CODE(0x55, 0x48, 0x89, 0xe5, 0x48, 0x29, 0xc4), &size));       // sub rax
    ck_assert(!size_of(CODE(0x41, 0x55, 0x48, 0x89, 0xe5), &size));             // push %r13
    ck_assert(!prologue_frame_size(&memory, 1, &size));
}
END_TEST

START_TEST(calls)
{
    memset(fixture_text, 0xcc, sizeof fixture_text);
    put(100, CODE(0xe8, 0x97, 0xff, 0xff, 0xff)); // call TEXT
    ck_assert(prologue_is_call(&memory, TEXT + 105, TEXT));
    ck_assert(!prologue_is_call(&memory, TEXT + 105, TEXT + 16));
    ck_assert(!prologue_is_call(&memory, TEXT + 104, TEXT));
    put(0, CODE(0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25)); // there is a stub
    ck_assert(prologue_is_call(&memory, TEXT + 105, TEXT + 16));
    put(200, CODE(0xff, 0xd0)); // call *%rax
    ck_assert(prologue_is_call(&memory, TEXT + 202, TEXT));
    put(220, CODE(0x41, 0xff, 0x54, 0x24, 0x08)); // call *8(%r12)
    ck_assert(prologue_is_call(&memory, TEXT + 225, TEXT));
    put(240, CODE(0xff, 0x25, 0, 0, 0, 0)); // jmp *
    ck_assert(!prologue_is_call(&memory, TEXT + 246, TEXT));
    ck_assert(!prologue_is_call(&memory, TEXT + 3, TEXT));
}
END_TEST

// Whatever the bytes are, no more than the window is read and nothing is believed.
START_TEST(garbage)
{
    uint64_t size, seed = 88172645463325252u;
    put(0, "", 1);
    for (int i = 0; i < 200000; i++) {
        for (size_t k = 0; k < 128; k += 8) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            memcpy(fixture_text + k, &seed, 8);
        }
        memcpy(fixture_text, "\x55\x48\x89\xe5", 4);
        code_memory_flush(&memory);
        if (prologue_frame_size(&memory, TEXT, &size))
            ck_assert_uint_lt(size, 1u << 30);
        prologue_is_call(&memory, TEXT + 64, TEXT);
    }
}
END_TEST

Suite *suite_prologue(void);
Suite *suite_prologue(void)
{
    TCase *tests = tcase_create("prologue");
    tcase_add_test(tests, frames);
    tcase_add_test(tests, no_frames);
    tcase_add_test(tests, calls);
    tcase_add_test(tests, garbage);
    Suite *suite = suite_create("prologue");
    suite_add_tcase(suite, tests);
    return suite;
}
