// SPDX-License-Identifier: MIT
// Rows of wall time, of the snapshot in tests/golden/top-wall.snapshots: thread 11 ran for 0.3 s,
// was queued for 0.1 s and blocked for 0.6 s, thread 12 was blocked for 1 s.
#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "monitor/snapshot_text.h"
#include "rows/rows.h"

#define TENTH (NS_PER_S / 10)

static struct replay *replay;
static struct snapshot *snapshot;
static struct rows_query query;
static struct err err;

static void set_up(void)
{
    ck_assert_msg(replay_open("tests/golden/top-wall.snapshots", &replay, &err) == RC_OK, "%s",
                  err.text);
    snapshot = replay_next(replay);
    query = (struct rows_query){.window = WINDOW_5S, .filter = {.type = "wall"}};
}

static void tear_down(void)
{
    snapshot_free(snapshot);
    replay_free(replay);
}

static void assert_cost(struct cost cost, uint64_t running, uint64_t queued, uint64_t blocked)
{
    ck_assert_uint_eq(cost.cpu_ns, running * TENTH);
    ck_assert_uint_eq(cost.queued_ns, queued * TENTH);
    ck_assert_uint_eq(cost.blocked_ns, blocked * TENTH);
}

START_TEST(functions_have_all_states)
{
    struct function_rows rows;
    query.window = WINDOW_1S;
    ck_assert_int_eq(rows_functions(&snapshot->moment, &query, &rows, &err), RC_OK);
    assert_cost(rows.all, 3, 1, 16);
    ck_assert_str_eq(rows.rows[0].function->name, "sys_epoll_wait"); // most time, not most samples
    ck_assert_double_eq(rows_percent(rows_measure(&query), rows.rows[0].self, rows.all), 50);
    ck_assert_double_eq(rows.rows[0].trend[TREND_LENGTH - 1], 50);
    for (size_t i = 0; i < rows.count; i++)
        if (strcmp(rows.rows[i].function->name, "handle") == 0)
            assert_cost(rows.rows[i].total_all, 3, 1, 6);
    function_rows_fini(&rows);
}
END_TEST

START_TEST(cpu_time_is_as_without)
{
    struct function_rows rows;
    query.filter.type = NULL;
    ck_assert_int_eq(rows_functions(&snapshot->moment, &query, &rows, &err), RC_OK);
    assert_cost(rows.all, 3, 0, 0);
    ck_assert_uint_eq(rows.all.samples, 30);
    ck_assert_uint_eq(rows.count, 3);
    function_rows_fini(&rows);
}
END_TEST

START_TEST(trees_weigh_time)
{
    struct tree tree;
    ck_assert_int_eq(rows_tree(&snapshot->moment, &query, &tree, &err), RC_OK);
    ck_assert_uint_eq(tree.measure, MEASURE_TIME);
    ck_assert_str_eq(tree.nodes[0].function->name, "main");
    assert_cost(tree.nodes[0].total, 3, 1, 16);
    tree_fini(&tree);
}
END_TEST

START_TEST(threads_have_all_states)
{
    struct thread_rows rows;
    ck_assert_int_eq(rows_threads(&snapshot->moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.count, 2);
    assert_cost(rows.rows[0].cost, 3, 1, 6);
    assert_cost(rows.rows[1].cost, 0, 0, 10);
    ck_assert(rows.cpu_known);
    ck_assert_double_eq_tol(rows.rows[0].cpu_percent, 30, 1e-6); // of CPU time, as without
    ck_assert_str_eq(rows.rows[0].where->name, "recv"); // where it was for longest
    ck_assert_str_eq(rows.rows[1].where->name, "log");
    thread_rows_fini(&rows);
}
END_TEST

START_TEST(stacks_of_a_thread_by_time)
{
    struct stack_rows rows;
    rows_stack(&snapshot->moment, &query, 11, &rows);
    ck_assert_uint_eq(rows.stacks, 2);
    ck_assert(rows.windowed);
    ck_assert_str_eq(rows.rows[0].function->name, "sys_recvfrom");
    ck_assert_double_eq(rows.rows[0].share, 60);
    ck_assert_str_eq(rows.rows[4].function->name, "hash");
    ck_assert_uint_eq(rows.rows[4].depth, 0);
    ck_assert_double_eq(rows.rows[4].share, 40);
    ck_assert_double_eq(rows.rows[5].share, 0);
    stack_rows_fini(&rows);
}
END_TEST

START_TEST(a_profile_of_wall_time_has_states)
{
    uint64_t ns[STATE_COUNT] = {0};
    struct plain_profile *profile;
    ck_assert_int_eq(rows_extract(&snapshot->moment, &query, &profile, &err), RC_OK);
    struct plain_threads threads;
    plain_threads_init(&threads, profile);
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        enum profile_state state = threads.of[profile->samples.list[i].labels].state;
        ns[state] += (uint64_t)plain_values(profile, i)[1];
    }
    plain_threads_fini(&threads);
    ck_assert_uint_eq(ns[STATE_CPU], 0);
    ck_assert_uint_eq(ns[STATE_RUNNING], 3 * TENTH);
    ck_assert_uint_eq(ns[STATE_QUEUED], TENTH);
    ck_assert_uint_eq(ns[STATE_BLOCKED], 16 * (uint64_t)TENTH);
    plain_free(profile);
}
END_TEST

Suite *suite_rows_wall(void);
Suite *suite_rows_wall(void)
{
    Suite *suite = suite_create("rows_wall");
    TCase *tests = tcase_create("rows_wall");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, functions_have_all_states);
    tcase_add_test(tests, cpu_time_is_as_without);
    tcase_add_test(tests, trees_weigh_time);
    tcase_add_test(tests, threads_have_all_states);
    tcase_add_test(tests, stacks_of_a_thread_by_time);
    tcase_add_test(tests, a_profile_of_wall_time_has_states);
    suite_add_tcase(suite, tests);
    return suite;
}
