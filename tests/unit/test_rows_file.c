// SPDX-License-Identifier: MIT
// Rows of profiles that a Go program wrote (tests/golden/go_profiles.go), against what
// `go tool pprof -top` says of the same files.
#include "rows/rows.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "output/parser.h"

static struct rows_query query;
static struct err err;

static void set_up(void)
{
    query = (struct rows_query){.window = WINDOW_ALL};
}

static struct moment moment_of_file(const char *path)
{
    AUTO_FILE FILE *file = fopen(path, "re");
    static char bytes[1 << 16];
    struct plain_profile *profile;
    ck_assert_ptr_nonnull(file);
    size_t length = fread(bytes, 1, sizeof bytes, file);
    ck_assert_msg(parser_parse(bytes, length, &profile, &err) == RC_OK, "%s", err.text);
    return moment_of(profile, NULL);
}

struct expected {
    const char *name;
    int64_t self, total;
};

static const struct function_row *row_of(const struct function_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].function->name, name) == 0)
            return &rows->rows[i];
    ck_abort_msg("no row of %s", name);
    return NULL;
}

static void check_rows(const struct moment *moment, const struct expected *expected, size_t count,
                       uint64_t all)
{
    struct function_rows rows;
    ck_assert_msg(rows_functions(moment, &query, &rows, &err) == RC_OK, "%s", err.text);
    ck_assert_uint_eq(cost_ns(rows.all), all);
    for (size_t i = 0; i < count; i++) {
        const struct function_row *row = row_of(&rows, expected[i].name);
        ck_assert_msg(cost_ns(row->self) == expected[i].self &&
                          cost_ns(row->total) == expected[i].total,
                      "%s: %llu %llu", expected[i].name, (unsigned long long)cost_ns(row->self),
                      (unsigned long long)cost_ns(row->total));
        ck_assert_uint_eq(cost_ns(row->self_all), expected[i].self);
        ck_assert_str_eq(row->function->module, "go_profiles");
    }
    ck_assert_str_eq(rows.rows[0].function->name, expected[0].name);
    function_rows_fini(&rows);
}

#define CHECK_ROWS(moment, expected, all)                                                          \
    check_rows(moment, expected, ARRAY_LENGTH(expected), all)

START_TEST(functions_of_cpu_time)
{
    static const struct expected rows[] = {
        {"main.hot", 110000000, 120000000}, {"main.cold", 50000000, 50000000},
        {"runtime.asyncPreempt", 10000000, 10000000}, {"main.work", 0, 170000000},
        {"main.main", 0, 170000000}, {"runtime.main", 0, 170000000},
    };
    struct moment moment = moment_of_file("tests/golden/go-cpu.pb.gz");
    CHECK_ROWS(&moment, rows, 170000000);
    query.filter.type = "samples";
    static const struct expected samples[] = {{"main.hot", 11, 12}, {"main.cold", 5, 5}};
    CHECK_ROWS(&moment, samples, 17);
    moment_fini(&moment);
}
END_TEST

START_TEST(functions_of_each_type_of_a_heap)
{
    static const struct expected in_use[] = {
        {"main.main", 65536, 65648}, {"hash/crc32.slicingMakeTable", 8192, 8192},
        {"runtime.main", 96, 65744}, {"sync.(*Once).Do", 0, 8192},
    };
    struct moment moment = moment_of_file("tests/golden/go-heap.pb.gz");
    CHECK_ROWS(&moment, in_use, 75280);
    query.filter.type = "alloc_objects";
    static const struct expected objects[] = {
        {"main.main", 66, 82}, {"runtime/pprof.allFrames", 31, 31},
        {"runtime/pprof.parseProcSelfMaps", 29, 42},
    };
    CHECK_ROWS(&moment, objects, 239);
    moment_fini(&moment);
}
END_TEST

START_TEST(a_type_that_is_not_there_is_told)
{
    struct function_rows rows;
    struct moment moment = moment_of_file("tests/golden/go-cpu.pb.gz");
    query.filter.type = "wall";
    ck_assert_int_eq(rows_functions(&moment, &query, &rows, &err), RC_USAGE);
    ck_assert_str_eq(err.text, "the profile has no values of type wall");
    moment_fini(&moment);
}
END_TEST

static uint64_t id_of(const struct moment *moment, const char *name)
{
    struct function_rows rows;
    ck_assert_int_eq(rows_functions(moment, &query, &rows, &err), RC_OK);
    uint64_t id = row_of(&rows, name)->id;
    function_rows_fini(&rows);
    return id;
}

START_TEST(trees_and_calls)
{
    struct moment moment = moment_of_file("tests/golden/go-cpu.pb.gz");
    struct tree tree;
    struct call_rows calls;
    ck_assert_int_eq(rows_tree(&moment, &query, &tree, &err), RC_OK);
    ck_assert_str_eq(tree.nodes[0].function->name, "runtime.main");
    ck_assert_str_eq(tree.nodes[1].function->name, "main.main");
    ck_assert_uint_eq(cost_ns(tree.nodes[1].total), 170000000);
    tree_fini(&tree);
    ck_assert_int_eq(rows_calls(&moment, &query, id_of(&moment, "main.work"), &calls, &err), RC_OK);
    ck_assert_uint_eq(calls.callee_count, 2);
    ck_assert_str_eq(calls.callees[0].function->name, "main.hot");
    ck_assert_uint_eq(cost_ns(calls.callees[0].cost), 120000000);
    ck_assert_uint_eq(calls.caller_count, 1);
    ck_assert_str_eq(calls.callers[0].function->name, "main.main.func1");
    call_rows_fini(&calls);
    moment_fini(&moment);
}
END_TEST

START_TEST(nobody_says_whose_threads_they_are)
{
    struct moment moment = moment_of_file("tests/golden/go-cpu.pb.gz");
    struct thread_rows rows;
    struct stack_rows stacks;
    ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.count, 1);
    ck_assert_str_eq(rows.rows[0].name, "");
    ck_assert_uint_eq(cost_ns(rows.rows[0].cost), 170000000);
    thread_rows_fini(&rows);
    rows_stack(&moment, &query, 0, &stacks);
    ck_assert_uint_gt(stacks.stacks, 0);
    stack_rows_fini(&stacks);
    moment_fini(&moment);
}
END_TEST

START_TEST(what_a_filter_shows_is_a_profile_again)
{
    static const struct expected rows[] = {{"main.cold", 50000000, 50000000},
                                           {"main.work", 0, 50000000}};
    struct moment moment = moment_of_file("tests/golden/go-cpu.pb.gz");
    struct plain_profile *profile;
    query.filter.terms = "main.cold";
    ck_assert_int_eq(rows_extract(&moment, &query, &profile, &err), RC_OK);
    ck_assert_int_eq(profile->time, moment.profile->time);
    moment_fini(&moment);
    query.filter.terms = NULL;
    moment = moment_of(profile, NULL);
    CHECK_ROWS(&moment, rows, 50000000);
    moment_fini(&moment);
}
END_TEST

Suite *suite_rows_file(void);

Suite *suite_rows_file(void)
{
    TCase *tests = tcase_create("rows_file");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, functions_of_cpu_time);
    tcase_add_test(tests, functions_of_each_type_of_a_heap);
    tcase_add_test(tests, a_type_that_is_not_there_is_told);
    tcase_add_test(tests, trees_and_calls);
    tcase_add_test(tests, nobody_says_whose_threads_they_are);
    tcase_add_test(tests, what_a_filter_shows_is_a_profile_again);
    Suite *suite = suite_create("rows_file");
    suite_add_tcase(suite, tests);
    return suite;
}
