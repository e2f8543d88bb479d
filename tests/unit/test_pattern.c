// SPDX-License-Identifier: MIT
// Regular expressions as people write them for pprof.
#include "base/pattern.h"

#include <check.h>

#include "base/mem.h"

START_TEST(expressions_match_as_in_re2)
{
    static const struct {
        const char *expression, *text;
        bool matches;
    } cases[] = {
        {"mallocgc", "runtime.mallocgc", true},
        {"^malloc", "runtime.mallocgc", false},
        {"main\\.(foo|bar)$", "main.bar", true},
        {"main\\.(foo|bar)$", "mainxbar", false},
        {"\\(\\*Writer\\)\\.Write", "gzip.(*Writer).Write", true},
        {"\\d+", "func12", true},
        {"^\\D+$", "func12", false},
        {"^\\w+\\s\\S$", "ab_1 x", true},
        {"[\\d]", "x7", true},
        {"^[\\w.]+$", "a.b_c", true},
        {"^[\\]\\-a]+$", "]-a", true},
        {"^[^\\]]$", "]", false},
        {"^[\\^]$", "^", true},
        {"^[a\\^-]$", "^", true},
        {"^[]]$", "]", true},
        {"^[[:digit:]x]+$", "1x2", true},
        {"(?i)MAIN", "main", true},
        {"MAIN", "main", false},
        {"^(?:ab)+$", "abab", true},
        {"^(?P<name>ab)$", "ab", true},
        {"^a.*?b+?c??$", "axxbbc", true},
        {"^a{2}$", "aa", true},
        {"^a{2,3}?$", "aaa", true},
        {"interface{}", "[]interface{}", true},
        {"\\Qa.b*\\E$", "a.b*", true},
        {"\\Qa.b*\\E$", "axb*", false},
        {"\\Aab\\z", "ab", true},
        {"a\\tb", "a\tb", true},
        {"\\x41", "A", true},
        {"\\bnew\\b", "operator new(long)", true},
        {"\\bnew\\b", "renew", false},
        {"", "anything", true},
        {"a/b", "x/a/b", true},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct pattern pattern;
        struct err err = {0};
        ck_assert_msg(pattern_init(&pattern, cases[i].expression, &err) == RC_OK, "%s", err.text);
        ck_assert_msg(pattern_matches(&pattern, cases[i].text) == cases[i].matches, "/%s/ and %s",
                      cases[i].expression, cases[i].text);
        pattern_fini(&pattern);
    }
}
END_TEST

START_TEST(what_cannot_be_understood_is_refused)
{
    static const char *const bad[] = {"(", "a)(", "[a", "(?=x)", "\\pL", "(a)\\1", "x\\", "a(?i)b"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct pattern pattern;
        struct err err = {0};
        ck_assert_msg(pattern_init(&pattern, bad[i], &err) == RC_USAGE, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(err.text, "is not a regular expression"));
        ck_assert(!pattern_matches(&pattern, bad[i]));
        pattern_fini(&pattern);
    }
}
END_TEST

START_TEST(no_expression_matches_nothing)
{
    struct pattern pattern;
    ck_assert_int_eq(pattern_init(&pattern, NULL, NULL), RC_OK);
    ck_assert(!pattern_matches(&pattern, ""));
    pattern_fini(&pattern);
}
END_TEST

Suite *suite_pattern(void);

Suite *suite_pattern(void)
{
    TCase *tests = tcase_create("pattern");
    tcase_add_test(tests, expressions_match_as_in_re2);
    tcase_add_test(tests, what_cannot_be_understood_is_refused);
    tcase_add_test(tests, no_expression_matches_nothing);
    Suite *suite = suite_create("pattern");
    suite_add_tcase(suite, tests);
    return suite;
}
