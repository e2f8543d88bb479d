// SPDX-License-Identifier: MIT
#include "serve/remote_names.h"

#include <check.h>

#include "base/mem.h"
#include "profile/plain_frame.h"

// Three locations without lines, one of them in a mapping that has its names, and one with a line.
static struct plain_profile *addresses(void)
{
    struct plain_profile *profile = plain_new();
    struct plain_function function = {.name = plain_text(profile, "known")};
    struct plain_line line = {.function = plain_add_function(profile, function)};
    uint32_t bare = plain_add_mapping(profile, (struct plain_mapping){.start = 1, .limit = 9});
    uint32_t named = plain_add_mapping(
        profile, (struct plain_mapping){.start = 10, .limit = 99, .has_functions = true});
    plain_add_location(profile, bare, 0x401196, NULL, 0);
    plain_add_location(profile, named, 0x20, NULL, 0);
    plain_add_location(profile, PLAIN_NONE, 0xabcdef0123456789, NULL, 0);
    plain_add_location(profile, bare, 0x5, &line, 1);
    return profile;
}

START_TEST(nameless_addresses_are_asked_for)
{
    AUTO_BUF struct buf question = {0};
    struct plain_profile *profile = addresses();
    ck_assert_uint_eq(remote_names_ask(profile, &question), 2);
    ck_assert_str_eq(question.data, "0x401196+0xabcdef0123456789");
    plain_free(profile);
}
END_TEST

START_TEST(answers_are_names)
{
    struct plain_profile *profile = addresses();
    ck_assert_uint_eq(remote_names_take(profile, "num_symbols: 1\n0x401196 main.work[a b]\r\n"
                                                 "0x20 never\n0x5 never\n0xabcdef0123456789 x"),
                      2);
    ck_assert_str_eq(plain_frame(profile, 0, 0).name, "main.work[a b]");
    ck_assert_str_ne(plain_frame(profile, 1, 0).name, "never");
    ck_assert_str_eq(plain_frame(profile, 2, 0).name, "x");
    ck_assert_str_eq(plain_frame(profile, 3, 0).name, "known");
    plain_free(profile);
}
END_TEST

START_TEST(damaged_answers_name_nothing)
{
    static const char *const answers[] = {
        "", "\n\n", "0x401196", "0x401196 ", "0x401196\nmain", "401196 main", "0x main",
        "0x4011961111111111111111 main", "<html>0x401196 main</html>", "0x401196main.work",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(answers); i++) {
        struct plain_profile *profile = addresses();
        ck_assert_msg(remote_names_take(profile, answers[i]) == 0, "%s", answers[i]);
        plain_free(profile);
    }
}
END_TEST

Suite *suite_remote_names(void)
{
    Suite *suite = suite_create("remote_names");
    TCase *tests = tcase_create("remote_names");
    tcase_add_test(tests, nameless_addresses_are_asked_for);
    tcase_add_test(tests, answers_are_names);
    tcase_add_test(tests, damaged_answers_name_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}
