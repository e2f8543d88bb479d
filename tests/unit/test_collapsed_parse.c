// SPDX-License-Identifier: MIT
// Collapsed stacks, read as flamegraph.pl reads them.
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_parse.h"

START_TEST(stacks_and_counts)
{
    parse_check("main;work;sqrt 12\n"
                "main 3\n"
                "# a comment\n"
                "\n"
                "main;work;sqrt 5\n"
                "main;std::vector<int, std::allocator<int> >::push_back(int const&) 1\n",
                "samples/count\n"
                "17 : main;work;sqrt\n"
                "3 : main\n"
                "1 : main;std::vector<int, std::allocator<int> >::push_back(int const&)\n");
}
END_TEST

START_TEST(suffixes_mean_something)
{
    parse_check("a;b;sys_read_[k];vfs_read_[k] 1\n"
                "a;compiled_[j] 2\n"
                "a;b;inner_[i];innermost_[i];c 3\n"
                "first_[i];other_[w] 4\n"
                "_[k];a_[x] 5\n",
                "samples/count\n"
                "1 : a;b;sys_read@[kernel.kallsyms];vfs_read@[kernel.kallsyms]\n"
                "2 : a;compiled@[jit](made)\n"
                "3 : a;b;inner(inlined);innermost(inlined);c\n"
                "4 : first;other_[w]\n"
                "5 : _[k];a_[x]\n");
}
END_TEST

START_TEST(an_inlined_function_is_part_of_its_caller)
{
    struct plain_profile *profile;
    const char text[] = "a;b;c_[i] 1\na;b;c 1\na;b 1\n";
    ck_assert_int_eq(parser_parse(text, sizeof text - 1, &profile, NULL), RC_OK);
    ck_assert_uint_eq(profile->code.location_count, 4); // a, "b;c_[i]", b, c
    ck_assert_uint_eq(profile->code.function_count, 3);
    plain_free(profile);
}
END_TEST

START_TEST(decimals_are_rounded_in_the_sum)
{
    parse_check("a 0.4\na 0.4\nb 2.\nc 1.50\n",
                "samples/count | counts with decimals were rounded\n"
                "1 : a\n2 : b\n2 : c\n");
}
END_TEST

START_TEST(large_counts_are_exact)
{
    parse_check("a 9007199254740993\nb 9223372036854775808\n",
                "samples/count\n9007199254740993 : a\n9223372036854775807 : b\n");
}
END_TEST

START_TEST(a_name_may_end_in_a_number)
{
    parse_check("main;worker 7 150\nmain 3\n", "samples/count\n150 : main;worker 7\n3 : main\n");
}
END_TEST

START_TEST(two_columns_are_refused)
{
    parse_check_refused("a;b 7 150\na;c 0 12\n", "`ptprof diff OLD NEW`");
}
END_TEST

START_TEST(blanks_and_empty_frames)
{
    parse_check("  a;b \t 7\t\na;;c;  8\n;d 9 \n", "samples/count\n7 : a;b\n8 : a;c\n9 : d\n");
}
END_TEST

START_TEST(a_line_without_count_is_named)
{
    const char *const lines[] = {"a;b\n", "a;b -7\n", "a;b 1e3\n", "12\n", " 3\n", "a 1.2.3\n",
                                 "a 99999999999999999999\n"};
    for (size_t i = 0; i < ARRAY_LENGTH(lines); i++) {
        AUTO_BUF struct buf text = {0};
        for (int j = 0; j < 20; j++)
            buf_puts(&text, "main 1\n");
        buf_puts(&text, lines[i]);
        parse_check_refused(text.data, "line 21 is no stack");
    }
}
END_TEST

START_TEST(other_texts_are_none)
{
    parse_check_refused("<!DOCTYPE html>\n<html>\n</html> 5\n", "in a format that ptprof reads");
    parse_check_refused("#comment\n\n", "in a format that ptprof reads");
}
END_TEST

START_TEST(damaged)
{
    static const char text[] = "a;b;c_[k] 12\n# x\na;d_[i];e_[i] 3.5\n\nf;worker 7 2\n";
    parse_check_damaged(text, sizeof text - 1);
    parse_check_nul(text);
}
END_TEST

// As deep as a line may be, and as many stacks as the text has.
START_TEST(deep_stacks)
{
    AUTO_BUF struct buf text = {0}, shown = {0};
    for (int i = 0; i < 100000; i++)
        buf_puts(&text, "a;");
    buf_puts(&text, "b 1\n");
    struct plain_profile *profile;
    ck_assert_int_eq(parser_parse(text.data, text.length, &profile, NULL), RC_OK);
    ck_assert_uint_eq(profile->stacks.count, 100002);
    plain_free(profile);
}
END_TEST

Suite *suite_collapsed_parse(void);

Suite *suite_collapsed_parse(void)
{
    TCase *tests = tcase_create("collapsed stacks");
    tcase_add_test(tests, stacks_and_counts);
    tcase_add_test(tests, suffixes_mean_something);
    tcase_add_test(tests, an_inlined_function_is_part_of_its_caller);
    tcase_add_test(tests, decimals_are_rounded_in_the_sum);
    tcase_add_test(tests, large_counts_are_exact);
    tcase_add_test(tests, a_name_may_end_in_a_number);
    tcase_add_test(tests, two_columns_are_refused);
    tcase_add_test(tests, blanks_and_empty_frames);
    tcase_add_test(tests, a_line_without_count_is_named);
    tcase_add_test(tests, other_texts_are_none);
    tcase_add_test(tests, damaged);
    tcase_add_test(tests, deep_stacks);
    Suite *suite = suite_create("collapsed_parse");
    suite_add_tcase(suite, tests);
    return suite;
}
