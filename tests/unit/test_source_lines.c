// SPDX-License-Identifier: MIT
// What source lines have. The expected numbers are those of `go tool pprof -list`.
#include "rows/source_lines.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"

static struct plain_profile *profile;
static struct source_lines lines;
static uint32_t bin;

static void set_up(void)
{
    profile = fixture_plain();
    bin = fixture_mapping(profile, "/bin/a", "ab", 0x10000);
    lines = (struct source_lines){0};
}

static void tear_down(void)
{
    source_lines_fini(&lines);
    plain_free(profile);
}

static uint32_t function(const char *name, const char *file, int64_t start)
{
    return plain_add_function(profile, (struct plain_function){
                                           .name = plain_text(profile, name),
                                           .file = plain_text(profile, file),
                                           .start_line = start,
                                       });
}

static uint32_t location(uint32_t of, int64_t line)
{
    struct plain_line one = {.function = of, .line = line};
    uint64_t address = 0x10000 + profile->code.location_count;
    return plain_add_location(profile, bin, address, &one, 1);
}

static void sample(const uint32_t *locations, size_t count, int64_t ns)
{
    fixture_sample(profile, plain_stack(profile, locations, count), 0, 1, ns);
}
#define SAMPLE(ns, ...)                                                                            \
    sample((const uint32_t[]){__VA_ARGS__}, sizeof(uint32_t[]){__VA_ARGS__} / sizeof(uint32_t), ns)

static void find(const char *expression)
{
    struct pattern pattern;
    ck_assert_int_eq(pattern_init(&pattern, expression, NULL), RC_OK);
    source_lines_fini(&lines);
    source_lines_init(&lines, profile, 1, &pattern);
    pattern_fini(&pattern);
}

static const struct source_routine *routine(const char *name, const char *file)
{
    for (size_t i = 0; i < lines.routine_count; i++)
        if (!strcmp(lines.routines[i].function, name) && !strcmp(lines.routines[i].file, file))
            return &lines.routines[i];
    ck_abort_msg("no routine %s in %s", name, file);
}

static void check_line(const struct source_routine *of, size_t number, int64_t line, int64_t flat,
                       int64_t cum)
{
    ck_assert_uint_lt(number, of->count);
    const struct source_line *at = &lines.lines[of->first + number];
    ck_assert_int_eq(at->line, line);
    ck_assert_int_eq(at->flat, flat);
    ck_assert_int_eq(at->cum, cum);
}

START_TEST(a_line_has_what_it_did_and_what_it_called)
{
    uint32_t work = function("work", "/src/a.c", 10), start = function("main", "/src/a.c", 30);
    uint32_t hot = location(work, 12), cold = location(work, 14), call = location(start, 31);
    SAMPLE(50, hot, call);
    SAMPLE(20, cold, call);
    SAMPLE(5, call);
    find("work|main");
    ck_assert_uint_eq(lines.routine_count, 2);
    const struct source_routine *caller = routine("main", "/src/a.c");
    check_line(caller, 0, 31, 5, 75);
    ck_assert_int_eq(caller->from, 30);
    ck_assert_int_eq(caller->to, 36);
    const struct source_routine *callee = routine("work", "/src/a.c");
    check_line(callee, 0, 12, 50, 50);
    check_line(callee, 1, 14, 20, 20);
    ck_assert_int_eq(callee->flat, 70);
    ck_assert_int_eq(callee->to, 19);
    find("^work$");
    ck_assert_uint_eq(lines.routine_count, 1);
}
END_TEST

START_TEST(a_line_counts_once_in_a_stack)
{
    uint32_t deep = function("deep", "a.c", 0);
    uint32_t again = location(deep, 8), other = location(deep, 9), same = location(deep, 8);
    SAMPLE(7, again, other, same, again);
    find("deep");
    const struct source_routine *of = routine("deep", "a.c");
    check_line(of, 0, 8, 7, 7);
    check_line(of, 1, 9, 0, 7);
    ck_assert_int_eq(of->flat, 7);
    ck_assert_int_eq(of->cum, 14); // as pprof adds them
    ck_assert_int_eq(of->from, 3);
}
END_TEST

START_TEST(what_was_inlined_has_lines_of_its_own)
{
    struct plain_line both[] = {{.function = function("inner", "a.h", 4), .line = 5},
                                {.function = function("outer", "a.c", 20), .line = 22}};
    uint32_t at = plain_add_location(profile, bin, 0x10800, both, 2);
    uint32_t caller = location(function("main", "a.c", 0), 2);
    SAMPLE(9, at, caller);
    SAMPLE(3, caller, at);
    find("inner|outer");
    check_line(routine("inner", "a.h"), 0, 5, 9, 12);
    check_line(routine("outer", "a.c"), 0, 22, 0, 12);
}
END_TEST

START_TEST(differences_that_cancel_are_not_shown)
{
    uint32_t gone = location(function("gone", "a.c", 0), 3);
    uint32_t less = location(function("less", "a.c", 0), 4);
    SAMPLE(6, gone);
    SAMPLE(-6, gone, less);
    find(".");
    ck_assert_uint_eq(lines.routine_count, 1);
    check_line(routine("less", "a.c"), 0, 4, 0, -6);
}
END_TEST

START_TEST(paths_that_mean_the_same_are_one_file)
{
    uint32_t a = location(function("f", "/src/./x/../a.c", 0), 3);
    uint32_t b = location(function("f", "/src//a.c", 0), 3);
    uint32_t c = location(function("f", "", 0), 3);
    SAMPLE(1, a);
    SAMPLE(2, b);
    SAMPLE(4, c);
    find("f");
    ck_assert_uint_eq(lines.routine_count, 2);
    check_line(routine("f", "/src/a.c"), 0, 3, 3, 3);
    check_line(routine("f", ""), 0, 3, 4, 4);
}
END_TEST

START_TEST(numbers_beyond_all_bounds_stay_in_theirs)
{
    uint32_t wild = function("wild", "a.c", INT64_MIN);
    uint32_t last = location(wild, INT64_MAX), least = location(wild, INT64_MIN);
    SAMPLE(INT64_MAX, last, least);
    SAMPLE(INT64_MAX, last, location(wild, 0));
    find("wild");
    const struct source_routine *of = routine("wild", "a.c");
    check_line(of, 0, INT64_MIN, 0, INT64_MAX);
    check_line(of, 2, INT64_MAX, INT64_MAX, INT64_MAX);
    ck_assert_int_eq(of->from, 1);
    ck_assert_int_eq(of->to, INT64_MAX);
    find("nothing");
    ck_assert_uint_eq(lines.routine_count, 0);
}
END_TEST

START_TEST(code_without_a_name_has_no_lines)
{
    uint32_t bare = plain_add_location(profile, bin, 0x10900, NULL, 0);
    SAMPLE(8, bare);
    find("");
    ck_assert_uint_eq(lines.routine_count, 0);
}
END_TEST

Suite *suite_source_lines(void);
Suite *suite_source_lines(void)
{
    Suite *suite = suite_create("source_lines");
    TCase *tests = tcase_create("source_lines");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_line_has_what_it_did_and_what_it_called);
    tcase_add_test(tests, a_line_counts_once_in_a_stack);
    tcase_add_test(tests, what_was_inlined_has_lines_of_its_own);
    tcase_add_test(tests, differences_that_cancel_are_not_shown);
    tcase_add_test(tests, paths_that_mean_the_same_are_one_file);
    tcase_add_test(tests, numbers_beyond_all_bounds_stay_in_theirs);
    tcase_add_test(tests, code_without_a_name_has_no_lines);
    suite_add_tcase(suite, tests);
    return suite;
}
