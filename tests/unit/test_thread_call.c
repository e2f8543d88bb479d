// SPDX-License-Identifier: MIT
// The system calls that start threads, in code of C libraries as compilers and assemblers made it.
#include "unwind/thread_call.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"

#define CLONE3 /* glibc */                                                                         \
    0x49, 0x89, 0xc8, 0xb8, 0xb3, 0x01, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x85, 0xc0, 0x7c, 0x18,      \
        0x74, 0x01, 0xc3, 0x31, 0xed, 0x48, 0x83, 0xe4, 0xf0, 0x4c, 0x89, 0xc7, 0xff, 0xd2, 0x48,  \
        0x89, 0xc7, 0xb8, 0x3c, 0x00, 0x00, 0x00, 0x0f, 0x05
#define CLONE_OF_MUSL                                                                              \
    0x31, 0xc0, 0xb0, 0x38, 0x49, 0x89, 0xfb, 0x48, 0x89, 0xd7, 0x4c, 0x89, 0xc2, 0x4d, 0x89,      \
        0xc8, 0x4c, 0x8b, 0x54, 0x24, 0x08, 0x4d, 0x89, 0xd9, 0x48, 0x83, 0xe6, 0xf0, 0x48, 0x83,  \
        0xee, 0x08, 0x48, 0x89, 0x0e, 0x0f, 0x05, 0x85, 0xc0, 0x75, 0x0f, 0x31, 0xed, 0x5f, 0x41,  \
        0xff, 0xd1, 0x89, 0xc7, 0x31, 0xc0, 0xb0, 0x3c, 0x0f, 0x05, 0xf4, 0xc3
#define CLONE_OF_GO                                                                                \
    0xb8, 0x38, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x83, 0xf8, 0x00, 0x74, 0x05, 0x89, 0x44,      \
        0x24, 0x30, 0xc3, 0x48, 0x89, 0xf4, 0xb8, 0xba, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x49, 0x89,  \
        0x45, 0x40, 0x41, 0xff, 0xd4
#define FORK                                                                                       \
    0xbf, 0x11, 0x00, 0x20, 0x01, 0xb8, 0x38, 0x00, 0x00, 0x00, 0x0f, 0x05, 0x48, 0x3d, 0x00,      \
        0xf0, 0xff, 0xff, 0x77, 0x35, 0x89, 0xc2, 0x85, 0xc0, 0x75, 0x2c, 0xc3
#define WRITE 0xb8, 0x01, 0x00, 0x00, 0x00, 0x0f, 0x05, 0xc3, 0xff, 0xd2

static void found_at(const unsigned char *code, size_t length, size_t at, bool newer)
{
    bool is_newer;
    ck_assert_uint_eq(thread_call_find(code, length, 0, &is_newer), at);
    ck_assert_int_eq(is_newer, newer);
    // There is no other one.
    ck_assert_uint_eq(thread_call_find(code, length, at + 1, &is_newer), length);
}

START_TEST(libraries_that_start_threads)
{
    static const unsigned char newer[] = {CLONE3}, musl[] = {CLONE_OF_MUSL}, go[] = {CLONE_OF_GO};
    found_at(newer, sizeof newer, 8, true);
    found_at(musl, sizeof musl, 35, false);
    found_at(go, sizeof go, 5, false);
}
END_TEST

START_TEST(calls_that_start_none)
{
    static const unsigned char fork[] = {FORK}, other[] = {WRITE};
    bool newer;
    ck_assert_uint_eq(thread_call_find(fork, sizeof fork, 0, &newer), sizeof fork);
    ck_assert_uint_eq(thread_call_find(other, sizeof other, 0, &newer), sizeof other);
    ck_assert_uint_eq(thread_call_find(other, 0, 0, &newer), 0);
}
END_TEST

START_TEST(one_among_others)
{
    static const unsigned char fork[] = {FORK}, newer[] = {CLONE3};
    unsigned char code[sizeof fork + THREAD_CALL_BEHIND + sizeof newer + 10] = {FORK};
    memcpy(code + sizeof fork + THREAD_CALL_BEHIND, newer, sizeof newer);
    memcpy(code + sizeof code - 10, (const unsigned char[]){WRITE}, 10);
    found_at(code, sizeof code, sizeof fork + THREAD_CALL_BEHIND + 8, true);
}
END_TEST

// Of code that is cut anywhere, no byte is read that is not there.
START_TEST(cut_code)
{
    static const unsigned char code[] = {WRITE, CLONE_OF_MUSL};
    for (size_t length = 0; length <= sizeof code; length++) {
        AUTO_FREE unsigned char *copy = xmalloc(length + 1);
        bool newer;
        memcpy(copy, code, length);
        size_t at = thread_call_find(copy, length, 0, &newer);
        ck_assert_uint_eq(at, length > 10 + 46 ? 10 + 35 : length);
    }
}
END_TEST

Suite *suite_thread_call(void);
Suite *suite_thread_call(void)
{
    Suite *suite = suite_create("thread_call");
    TCase *tests = tcase_create("thread_call");
    tcase_add_test(tests, libraries_that_start_threads);
    tcase_add_test(tests, calls_that_start_none);
    tcase_add_test(tests, one_among_others);
    tcase_add_test(tests, cut_code);
    suite_add_tcase(suite, tests);
    return suite;
}
