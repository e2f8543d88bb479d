// SPDX-License-Identifier: MIT
// Rows of two profiles side by side, and of one that has values below 0.
#include "rows/rows.h"

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "output/parser.h"
#include "profile/plain_keys.h"
#include "profile/plain_merge.h"
#include "profile/plain_pair.h"
#include "profile/plain_transfer.h"

static const char old_text[] = "main;serve;scan 300\n"
                               "main;serve;hash 100\n"
                               "main;log 500\n"
                               "main;gone 100\n";
static const char new_text[] = "main;serve;scan 120\n"
                               "main;serve;hash 104\n"
                               "main;log 500\n"
                               "main;serve;cache 60\n";

static struct rows_query query;
static struct err err;

static void set_up(void)
{
    query = (struct rows_query){.window = WINDOW_ALL, .filter = {.value = 1}};
}

static struct plain_profile *parse(const char *text)
{
    struct plain_profile *profile;
    ck_assert_msg(parser_parse(text, strlen(text), &profile, &err) == RC_OK, "%s", err.text);
    return profile;
}

// Takes both over.
static struct moment pair_of(struct plain_profile *new, struct plain_profile *old)
{
    struct plain_profile *pair;
    ck_assert_msg(plain_pair(new, old, &pair, &err) == RC_OK, "%s", err.text);
    struct moment moment = moment_of(pair, NULL);
    moment.base = plain_head_of(old);
    plain_free(new);
    plain_free(old);
    return moment;
}

static struct function_rows functions_of(const struct moment *moment)
{
    struct function_rows rows;
    ck_assert_msg(rows_functions(moment, &query, &rows, &err) == RC_OK, "%s", err.text);
    return rows;
}

static const struct function_row *row_of(const struct function_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].function->name, name) == 0)
            return &rows->rows[i];
    ck_abort_msg("no row of %s", name);
    return NULL;
}

static double share_of(const struct function_rows *rows, const char *name)
{
    return rows_percent(MEASURE_TIME, row_of(rows, name)->self, rows->all);
}

static void check(const struct function_rows *rows, const char *name, int64_t self,
                  int64_t total, int64_t both)
{
    const struct function_row *row = row_of(rows, name);
    ck_assert_int_eq(cost_ns(row->self), self);
    ck_assert_int_eq(cost_ns(row->total), total);
    ck_assert_int_eq(row->total.size, both);
}

START_TEST(what_has_changed)
{
    struct moment moment = pair_of(parse(new_text), parse(old_text));
    struct function_rows rows = functions_of(&moment);
    check(&rows, "scan", -180, -180, 420);
    check(&rows, "hash", 4, 4, 204);
    check(&rows, "log", 0, 0, 1000);
    check(&rows, "cache", 60, 60, 60);
    check(&rows, "gone", -100, -100, 100);
    check(&rows, "serve", 0, -116, 684);
    check(&rows, "main", 0, -216, 1784);
    function_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

START_TEST(all_of_the_base_is_the_whole)
{
    struct moment moment = pair_of(parse(new_text), parse(old_text));
    struct function_rows rows = functions_of(&moment);
    ck_assert_double_eq_tol(share_of(&rows, "scan"), -18, 1e-9);
    ck_assert_double_eq_tol(share_of(&rows, "cache"), 6, 1e-9);
    function_rows_fini(&rows);
    query.filter.terms = "cache"; // of which the base has nothing
    rows = functions_of(&moment);
    ck_assert_int_eq(rows.count, 3);
    ck_assert_double_eq_tol(share_of(&rows, "cache"), 6, 1e-9);
    function_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

START_TEST(most_changed_comes_first)
{
    static const char *const order[] = {"scan", "gone", "cache", "hash"};
    struct moment moment = pair_of(parse(new_text), parse(old_text));
    struct function_rows rows = functions_of(&moment);
    for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
        ck_assert_str_eq(rows.rows[i].function->name, order[i]);
    function_rows_fini(&rows);
    query.sort = SORT_TOTAL;
    rows = functions_of(&moment);
    ck_assert_str_eq(rows.rows[0].function->name, "main");
    ck_assert_str_eq(rows.rows[1].function->name, "scan");
    function_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

START_TEST(as_of_equal_totals)
{
    char text[sizeof new_text + 64] = "main;serve;scan 1500\nmain;log 500\n";
    struct moment moment = pair_of(parse(text), parse(old_text));
    query.filter.equal = true;
    struct function_rows rows = functions_of(&moment);
    check(&rows, "scan", 450, 450, 1050); // 750 of 1000 where 300 were
    check(&rows, "log", -250, -250, 750);
    check(&rows, "main", 0, 0, 2000);
    function_rows_fini(&rows);
    query.filter.equal = false;
    rows = functions_of(&moment);
    check(&rows, "scan", 1200, 1200, 1800);
    function_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

static const struct tree_node *node_of(const struct tree *tree, const char *name)
{
    for (size_t i = 0; i < tree->count; i++)
        if (strcmp(tree->nodes[i].function->name, name) == 0)
            return &tree->nodes[i];
    ck_abort_msg("no node of %s", name);
    return NULL;
}

static double width_of(const struct flame *flame, const struct tree *tree, const char *name)
{
    for (size_t i = 0; i < flame->count; i++)
        if (&tree->nodes[flame->cells[i].node] == node_of(tree, name))
            return flame->cells[i].width;
    ck_abort_msg("no cell of %s", name);
    return 0;
}

START_TEST(cells_are_as_wide_as_both_together)
{
    struct moment moment = pair_of(parse(new_text), parse(old_text));
    struct tree tree;
    struct flame flame;
    ck_assert_int_eq(rows_tree(&moment, &query, &tree, &err), RC_OK);
    ck_assert_int_eq(cost_ns(node_of(&tree, "serve")->total), -116);
    ck_assert_str_eq(tree.nodes[1].function->name, "serve"); // it has changed most
    rows_flame(&tree, UINT32_MAX, &flame);
    ck_assert_double_eq_tol(width_of(&flame, &tree, "main"), 1, 1e-9);
    ck_assert_double_eq_tol(width_of(&flame, &tree, "gone"), 100 / 1784.0, 1e-9);
    ck_assert_double_eq_tol(width_of(&flame, &tree, "cache"), 60 / 1784.0, 1e-9);
    ck_assert_double_eq_tol(width_of(&flame, &tree, "scan"), 420 / 1784.0, 1e-9);
    flame_fini(&flame);
    rows_flame(&tree, (uint32_t)(node_of(&tree, "serve") - tree.nodes), &flame);
    ck_assert_double_eq_tol(width_of(&flame, &tree, "scan"), 420 / 684.0, 1e-9);
    flame_fini(&flame);
    tree_fini(&tree);
    moment_fini(&moment);
}
END_TEST

START_TEST(what_is_saved_is_the_difference)
{
    struct plain_profile *new = parse(new_text), *old = parse(old_text), *rest, *shown;
    ck_assert_int_eq(plain_subtract(new, old, &rest, &err), RC_OK);
    struct moment moment = pair_of(new, old);
    ck_assert_int_eq(rows_extract(&moment, &query, &shown, &err), RC_OK);
    ck_assert_int_eq(shown->samples.count, rest->samples.count);
    moment_fini(&moment);
    struct moment one = moment_of(shown, NULL), two = moment_of(rest, NULL);
    struct function_rows a = functions_of(&one), b = functions_of(&two);
    ck_assert_int_eq(a.count, b.count);
    for (size_t i = 0; i < a.count; i++)
        ck_assert_int_eq(cost_ns(row_of(&b, a.rows[i].function->name)->total),
                         cost_ns(a.rows[i].total));
    // It says nothing of a base, so its 100 % is all that has changed.
    ck_assert_int_eq(cost_ns(a.all), 180 + 4 + 60 + 100);
    ck_assert_double_eq_tol(share_of(&a, "scan"), -100 * 180 / 344.0, 1e-9);
    function_rows_fini(&a);
    function_rows_fini(&b);
    moment_fini(&one);
    moment_fini(&two);
}
END_TEST

START_TEST(only_common_values_are_compared)
{
    struct plain_profile *old = parse(old_text), *new = parse(new_text), *pair;
    old->types[0].unit = plain_text(old, "bytes");
    ck_assert_int_eq(plain_pair(new, old, &pair, &err), RC_USAGE);
    ck_assert_ptr_null(pair);
    ck_assert_msg(strstr(err.text, "the old one is of samples/bytes"), "%s", err.text);
    plain_free(old);
    plain_free(new);
    new = plain_new();
    plain_add_type(new, "other", "count");
    plain_add_type(new, "samples", "count");
    uint32_t sample = plain_sample(new, 0, 0);
    plain_add(new, sample, (int64_t[]){7, 30});
    struct moment moment = pair_of(new, parse(old_text));
    ck_assert_int_eq(moment_pair(&moment), 1);
    struct function_rows rows = functions_of(&moment);
    check(&rows, "[folded]", 30, 30, 30);
    check(&rows, "main", 0, -1000, 1000);
    function_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

START_TEST(sums_stay_at_their_bounds)
{
    struct moment moment = pair_of(parse("main;a 9223372036854775807\nmain;b 5\n"),
                                   parse("main;c 9223372036854775807\nmain;d 1\n"));
    struct function_rows rows = functions_of(&moment);
    check(&rows, "a", INT64_MAX, INT64_MAX, INT64_MAX);
    check(&rows, "c", -INT64_MAX, -INT64_MAX, INT64_MAX);
    ck_assert(isfinite(share_of(&rows, "a")));
    function_rows_fini(&rows);
    moment_fini(&moment);
    ck_assert_int_eq(cost_sum(INT64_MIN, -1), INT64_MIN);
    ck_assert_int_eq(cost_size(INT64_MIN), INT64_MAX);
}
END_TEST

// --- threads and labels ---

static void add(struct plain_profile *profile, const char *thread, int64_t tid,
                const char *endpoint, int64_t value)
{
    uint32_t set = plain_with_text(profile, 0, "thread", thread);
    set = tid ? plain_with_number(profile, set, "tid", tid) : set;
    set = plain_with_text(profile, set, "endpoint", endpoint);
    plain_add(profile, plain_sample(profile, 0, set), &value);
}

static struct plain_profile *labelled(int64_t tid, int64_t more)
{
    struct plain_profile *profile = plain_new();
    plain_add_type(profile, "samples", "count");
    add(profile, "worker", tid, "/cart", 10 + more);
    add(profile, "worker", tid + 1, "/pay", 20);
    add(profile, "main", tid + 2, "", 5);
    return profile;
}

static const struct thread_row *thread_of(const struct thread_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].name, name) == 0)
            return &rows->rows[i];
    ck_abort_msg("no row of %s", name);
    return NULL;
}

START_TEST(threads_are_compared_by_name)
{
    struct moment moment = pair_of(labelled(100, 7), labelled(200, 0));
    struct thread_rows rows;
    ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(rows.count, 2);
    ck_assert_int_eq(cost_ns(thread_of(&rows, "worker")->cost), 7);
    ck_assert_int_eq(cost_ns(thread_of(&rows, "main")->cost), 0);
    ck_assert_int_eq(cost_ns(rows.all), 35);
    thread_rows_fini(&rows);
    query.group = GROUP_TID;
    ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(rows.count, 6);
    thread_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

START_TEST(samples_are_listed_by_a_label)
{
    struct moment moment = moment_of(labelled(100, 0), NULL);
    struct plain_keys keys;
    struct thread_rows rows;
    plain_keys_init(&keys, moment.profile);
    ck_assert(keys.threads);
    ck_assert_int_eq(keys.count, 1);
    ck_assert_int_eq(keys.list[0].values, 2);
    moment_list_by(&moment, plain_string(moment.profile, keys.list[0].key));
    plain_keys_fini(&keys);
    ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(rows.count, 3);
    ck_assert_int_eq(cost_ns(thread_of(&rows, "/pay")->cost), 20);
    ck_assert_int_eq(cost_ns(thread_of(&rows, "")->cost), 5);
    thread_rows_fini(&rows);
    query.filter.thread = "/cart";
    struct function_rows functions = functions_of(&moment);
    ck_assert_int_eq(cost_ns(functions.all), 10);
    function_rows_fini(&functions);
    query.filter.thread = NULL;
    moment_list_by(&moment, "tid"); // a number
    ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(cost_ns(thread_of(&rows, "101")->cost), 20);
    thread_rows_fini(&rows);
    moment_list_by(&moment, NULL);
    ck_assert_int_eq(rows_threads(&moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(thread_of(&rows, "main")->tid, 102);
    thread_rows_fini(&rows);
    moment_fini(&moment);
}
END_TEST

Suite *suite_rows_pair(void);

Suite *suite_rows_pair(void)
{
    TCase *tests = tcase_create("rows_pair");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_test(tests, what_has_changed);
    tcase_add_test(tests, all_of_the_base_is_the_whole);
    tcase_add_test(tests, most_changed_comes_first);
    tcase_add_test(tests, as_of_equal_totals);
    tcase_add_test(tests, cells_are_as_wide_as_both_together);
    tcase_add_test(tests, what_is_saved_is_the_difference);
    tcase_add_test(tests, only_common_values_are_compared);
    tcase_add_test(tests, sums_stay_at_their_bounds);
    tcase_add_test(tests, threads_are_compared_by_name);
    tcase_add_test(tests, samples_are_listed_by_a_label);
    Suite *suite = suite_create("rows_pair");
    suite_add_tcase(suite, tests);
    return suite;
}
