// SPDX-License-Identifier: MIT
#include "profile/query.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_profile.h"

#define MANY 1000000

static struct fixture fixture;
static struct query_source source;
static struct flat flat;

static void set_up(void)
{
    fixture_init(&fixture, MANY);
    source = report_source(&fixture.report);
    flat = (struct flat){0};
}

static void tear_down(void)
{
    flat_fini(&flat);
    fixture_fini(&fixture);
}

static const struct flat_row *row_of(const char *function)
{
    for (size_t i = 0; i < flat.row_count; i++)
        if (strcmp(flat.rows[i].function, function) == 0)
            return &flat.rows[i];
    ck_abort_msg("no row for %s", function);
}

START_TEST(flat_counts_self_and_total)
{
    fixture_fill(&fixture);
    query_flat(&source, SIZE_MAX, &flat);
    const struct flat_row *hot = row_of("work_hot"), *root = row_of("main");
    ck_assert_uint_eq(hot->self.samples, 33);
    ck_assert_uint_eq(hot->self.cpu_ns, 330000000);
    ck_assert_uint_eq(hot->total.samples, 33);
    ck_assert_uint_eq(root->self.samples, 0);
    ck_assert_uint_eq(root->total.samples, 28 + 12 + 5 + 3 + 1);
    ck_assert_uint_eq(flat.all.samples, fixture.run.counts[COUNTER_SAMPLES]);
    ck_assert_uint_eq(flat.all.cpu_ns, fixture.run.counts[COUNTER_CPU_NS]);
    ck_assert_ptr_eq(&flat.rows[0], hot);
}
END_TEST

START_TEST(a_recursive_function_counts_once_a_stack)
{
    fixture_fill(&fixture);
    query_flat(&source, SIZE_MAX, &flat);
    ck_assert_uint_eq(row_of("recurse")->total.samples, 5);
    ck_assert_uint_eq(row_of("recurse")->total.cpu_ns, 50000000);
    ck_assert_uint_eq(row_of("recurse")->self.samples, 0);
}
END_TEST

START_TEST(self_times_add_up_to_the_whole)
{
    fixture_fill(&fixture);
    query_flat(&source, SIZE_MAX, &flat);
    struct cost sum = {0};
    for (size_t i = 0; i < flat.row_count; i++) {
        sum.samples += flat.rows[i].self.samples;
        sum.cpu_ns += flat.rows[i].self.cpu_ns;
        ck_assert_uint_le(flat.rows[i].total.cpu_ns, flat.all.cpu_ns);
        ck_assert_uint_ge(flat.rows[i].total.cpu_ns, flat.rows[i].self.cpu_ns);
    }
    ck_assert_uint_eq(sum.samples, flat.all.samples);
    ck_assert_uint_eq(sum.cpu_ns, flat.all.cpu_ns);
}
END_TEST

START_TEST(equal_rows_are_ordered_by_total_then_name)
{
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    fixture_add(&fixture, thread, "root|b", 1, 10);
    fixture_add(&fixture, thread, "root|c", 1, 10);
    fixture_add(&fixture, thread, "root|a", 1, 10);
    fixture_add(&fixture, thread, "root|c|leaf", 1, 30);
    query_flat(&source, SIZE_MAX, &flat);
    static const char *const expected[] = {"leaf", "c", "a", "b", "root"};
    ck_assert_uint_eq(flat.row_count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        ck_assert_str_eq(flat.rows[i].function, expected[i]);
}
END_TEST

START_TEST(top_limits_the_rows_and_nothing_else)
{
    fixture_fill(&fixture);
    query_flat(&source, SIZE_MAX, &flat);
    size_t functions = flat.row_count;
    flat_fini(&flat);
    query_flat(&source, 2, &flat);
    ck_assert_uint_eq(flat.row_count, 2);
    ck_assert_uint_eq(flat.function_count, functions);
    ck_assert_uint_eq(flat.all.samples, fixture.run.counts[COUNTER_SAMPLES]);
    ck_assert_str_eq(flat.rows[1].function, "take<int>(Pool&)");
}
END_TEST

START_TEST(nothing_gives_no_rows)
{
    query_flat(&source, 10, &flat);
    ck_assert_uint_eq(flat.row_count, 0);
    ck_assert_uint_eq(flat.all.samples, 0);
    ck_assert_double_eq(query_percent(0, flat.all.cpu_ns), 0);
    ck_assert_double_eq(query_percent(1, 4), 25);
}
END_TEST

START_TEST(frames_go_from_leaf_to_root)
{
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    struct frames frames = {0};
    fixture_add(&fixture, thread, "root|middle|leaf", 1, 1);
    query_frames(&source, profile_value_get(fixture.profile, 0)->stack, &frames);
    ck_assert_uint_eq(frames.count, 3);
    ck_assert_str_eq(frames.list[0].line->name, "leaf");
    ck_assert_str_eq(frames.list[1].line->name, "middle");
    ck_assert_str_eq(frames.list[2].line->name, "root");
    ck_assert_str_eq(frames.list[2].module, "root");
    frames_fini(&frames);
}
END_TEST

START_TEST(what_the_bound_left_nothing_of_is_still_counted)
{
    struct fixture small;
    fixture_init(&small, 2); // room for one frame
    source = report_source(&small.report);
    uint32_t thread = profile_thread_add(small.profile, 1, 1, "t", "p");
    fixture_add(&small, thread, "root", 1, 10);
    fixture_add(&small, thread, "other|leaf", 2, 30);
    query_flat(&source, SIZE_MAX, &flat);
    ck_assert_uint_eq(flat.all.cpu_ns, 40);
    ck_assert_uint_eq(row_of("[folded]")->self.samples, 2);
    ck_assert_uint_eq(row_of("[folded]")->total.cpu_ns, 30);
    struct frames frames = {0};
    query_frames(&source, 0, &frames);
    ck_assert_uint_eq(frames.count, 1);
    ck_assert_str_eq(frames.list[0].line->name, "[folded]");
    frames_fini(&frames);
    fixture_fini(&small);
}
END_TEST

START_TEST(wall_time_is_what_its_states_have)
{
    fixture_fill_wall(&fixture);
    source = report_source(&fixture.report);
    struct cost all = query_all(&source);
    ck_assert_uint_eq(all.cpu_ns, 450000000);
    ck_assert_uint_eq(all.queued_ns, 75000000);
    ck_assert_uint_eq(all.blocked_ns, 3475000000);
    query_flat(&source, SIZE_MAX, &flat);
    ck_assert_uint_eq(cost_ns(flat.all), cost_ns(all));
    ck_assert_uint_eq(row_of("work_hot")->self.queued_ns, 75000000);
    ck_assert_uint_eq(row_of("nap")->total.blocked_ns, 2000000000);
    struct cost costs[6];
    ck_assert_uint_eq(profile_thread_count(fixture.profile), ARRAY_LENGTH(costs));
    query_threads(&source, costs);
    ck_assert_uint_eq(cost_ns(costs[0]), 2000000000);
    ck_assert_uint_eq(cost_ns(costs[1]), 0);
    ck_assert_uint_eq(costs[5].samples, 197);
}
END_TEST

START_TEST(threads_have_what_they_used)
{
    fixture_fill(&fixture);
    struct cost costs[5];
    ck_assert_uint_eq(profile_thread_count(fixture.profile), ARRAY_LENGTH(costs));
    query_threads(&source, costs);
    ck_assert_uint_eq(costs[0].samples, 45);
    ck_assert_uint_eq(costs[1].samples, 12);
    ck_assert_uint_eq(costs[2].cpu_ns, 70000000);
    ck_assert_uint_eq(costs[4].samples, 0);
    ck_assert_uint_eq(costs[4].cpu_ns, 12000000);
}
END_TEST

Suite *suite_query(void);

Suite *suite_query(void)
{
    TCase *tests = tcase_create("query");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, flat_counts_self_and_total);
    tcase_add_test(tests, a_recursive_function_counts_once_a_stack);
    tcase_add_test(tests, self_times_add_up_to_the_whole);
    tcase_add_test(tests, equal_rows_are_ordered_by_total_then_name);
    tcase_add_test(tests, top_limits_the_rows_and_nothing_else);
    tcase_add_test(tests, nothing_gives_no_rows);
    tcase_add_test(tests, frames_go_from_leaf_to_root);
    tcase_add_test(tests, what_the_bound_left_nothing_of_is_still_counted);
    tcase_add_test(tests, wall_time_is_what_its_states_have);
    tcase_add_test(tests, threads_have_what_they_used);
    Suite *suite = suite_create("query");
    suite_add_tcase(suite, tests);
    return suite;
}
