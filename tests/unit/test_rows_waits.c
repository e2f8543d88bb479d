// SPDX-License-Identifier: MIT
// Rows of what threads waited for, of the snapshot in tests/golden/top-waits.snapshots. In each of
// two seconds thread 12 waited for 0.6 s for a lock that thread 11 held in two functions, 7:3, and
// for 0.3 s for a disk; thread 13 waited for work for 1 s; thread 11 waited for 0.1 s for a lock
// whose holder was not seen.
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
    ck_assert_msg(replay_open("tests/golden/top-waits.snapshots", &replay, &err) == RC_OK, "%s",
                  err.text);
    snapshot = replay_next(replay);
    query = (struct rows_query){.window = WINDOW_1S, .filter = {.type = "block"}};
}

static void tear_down(void)
{
    snapshot_free(snapshot);
    replay_free(replay);
}

static struct function_rows functions(const char *type)
{
    struct function_rows rows;
    query.filter.type = type;
    ck_assert_int_eq(rows_functions(&snapshot->moment, &query, &rows, &err), RC_OK);
    return rows;
}

static const struct function_row *row_of(const struct function_rows *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++)
        if (strcmp(rows->rows[i].function->name, name) == 0)
            return &rows->rows[i];
    ck_abort_msg("%s is no row", name);
}

static void check_cost(struct cost cost, uint64_t waits, uint64_t tenths)
{
    ck_assert_uint_eq(cost.samples, waits);
    ck_assert_uint_eq(cost_ns(cost), tenths * TENTH);
}

START_TEST(block_is_without_waits_for_work)
{
    struct function_rows rows = functions("block");
    check_cost(rows.all, 37, 10);
    check_cost(rows.all_all, 74, 20);
    check_cost(row_of(&rows, "sys_futex")->self, 32, 7);
    check_cost(row_of(&rows, "sys_futex")->self_all, 64, 14);
    ck_assert_str_eq(rows.rows[0].function->name, "sys_futex"); // most delay
    ck_assert_double_eq(rows_percent(rows_measure(&query), rows.rows[0].self, rows.all), 70);
    ck_assert_double_eq_tol(rows.rows[0].trend[TREND_LENGTH - 1], 70, 0.01);
    ck_assert_uint_eq(row_of(&rows, "write_log")->threads, 1);
    for (size_t i = 0; i < rows.count; i++)
        ck_assert_str_ne(rows.rows[i].function->name, "sys_epoll_wait");
    function_rows_fini(&rows);
}
END_TEST

START_TEST(waits_for_work_can_be_kept)
{
    query.filter.idle_waits = true;
    struct function_rows rows = functions("block");
    check_cost(rows.all, 38, 20);
    check_cost(row_of(&rows, "sys_epoll_wait")->self, 1, 10);
    ck_assert_str_eq(row_of(&rows, "main")->wait, "epoll");
    function_rows_fini(&rows);
}
END_TEST

START_TEST(functions_say_what_most_was_waited_for)
{
    struct function_rows rows = functions("block");
    ck_assert_str_eq(row_of(&rows, "write_log")->wait, "lock");
    ck_assert_str_eq(row_of(&rows, "write_log")->lock, "the_lock");
    ck_assert_str_eq(row_of(&rows, "handle")->lock, "other");
    ck_assert_str_eq(row_of(&rows, "fsync")->wait, "disk");
    ck_assert_str_eq(row_of(&rows, "fsync")->lock, "");
    function_rows_fini(&rows);
    rows = functions(NULL);
    ck_assert_str_eq(row_of(&rows, "hash")->wait, "");
    function_rows_fini(&rows);
}
END_TEST

START_TEST(mutex_has_both_sides_of_locks)
{
    for (query.window = WINDOW_1S; query.window <= WINDOW_ALL; query.window++) {
        uint64_t seconds = query.window == WINDOW_1S ? 1 : 2;
        struct function_rows rows = functions("mutex");
        check_cost(rows.all, seconds * 64, seconds * 14);
        check_cost(row_of(&rows, "sys_futex")->self, seconds * 32, seconds * 7);
        ck_assert_uint_eq(cost_ns(row_of(&rows, "hash")->self), seconds * 42 * TENTH / 10);
        ck_assert_uint_eq(cost_ns(row_of(&rows, "rest")->self), seconds * 18 * TENTH / 10);
        check_cost(row_of(&rows, "[holder not seen]")->self, seconds * 2, seconds);
        function_rows_fini(&rows);
    }
}
END_TEST

START_TEST(delay_is_no_cpu_time)
{
    for (query.window = WINDOW_1S; query.window <= WINDOW_ALL; query.window++) {
        uint64_t seconds = query.window == WINDOW_1S ? 1 : 2;
        struct function_rows rows = functions(NULL);
        check_cost(rows.all, seconds * 60, seconds * 6);
        ck_assert_uint_eq(rows.count, 3);
        function_rows_fini(&rows);
        rows = functions("wall");
        check_cost(rows.all, 0, 0);
        function_rows_fini(&rows);
    }
}
END_TEST

START_TEST(threads_are_sorted_by_delay)
{
    struct thread_rows rows;
    query.filter.type = "mutex";
    query.sort = SORT_DELAY;
    ck_assert_int_eq(rows_threads(&snapshot->moment, &query, &rows, &err), RC_OK);
    ck_assert_int_eq(rows.rows[0].tid, 11);
    check_cost(rows.rows[0].cost, 32, 7);
    ck_assert_double_eq_tol(rows.rows[0].cpu_percent, 60, 0.01);
    ck_assert_int_eq(rows.rows[1].tid, 12);
    check_cost(rows.rows[1].cost, 30, 6);
    ck_assert_str_eq(rows.rows[1].where->name, "pthread_mutex_lock");
    thread_rows_fini(&rows);
}
END_TEST

// What is saved is as attach writes it: only a mutex profile has sides.
START_TEST(profiles_are_those_of_the_type)
{
    static const struct {
        const char *type;
        uint32_t samples;
        bool sides;
    } cases[] = {{"block", 3, false}, {"mutex", 5, true}};
    query.window = WINDOW_ALL;
    for (size_t i = 0; i < 2; i++) {
        struct plain_profile *saved;
        query.filter.type = cases[i].type;
        ck_assert_int_eq(rows_extract(&snapshot->moment, &query, &saved, &err), RC_OK);
        ck_assert_uint_eq(saved->type_count, 2);
        ck_assert_str_eq(plain_string(saved, saved->types[0].type), "contentions");
        ck_assert_str_eq(plain_string(saved, saved->types[1].type), "delay");
        ck_assert_str_eq(plain_string(saved, saved->period_type.type), "contentions");
        ck_assert_uint_eq(saved->samples.count, cases[i].samples);
        for (uint32_t k = 0; k < saved->samples.count; k++) {
            uint32_t set = saved->samples.list[k].labels;
            ck_assert_int_eq(plain_label(saved, set, "side") != NULL, cases[i].sides);
            ck_assert_ptr_nonnull(plain_label(saved, set, "wait"));
        }
        plain_free(saved);
    }
}
END_TEST

Suite *suite_rows_waits(void);

Suite *suite_rows_waits(void)
{
    TCase *tests = tcase_create("rows_waits");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, block_is_without_waits_for_work);
    tcase_add_test(tests, waits_for_work_can_be_kept);
    tcase_add_test(tests, functions_say_what_most_was_waited_for);
    tcase_add_test(tests, mutex_has_both_sides_of_locks);
    tcase_add_test(tests, delay_is_no_cpu_time);
    tcase_add_test(tests, threads_are_sorted_by_delay);
    tcase_add_test(tests, profiles_are_those_of_the_type);
    Suite *suite = suite_create("rows_waits");
    suite_add_tcase(suite, tests);
    return suite;
}
