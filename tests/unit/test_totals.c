// SPDX-License-Identifier: MIT
// What the functions of a profile have, made of the frozen store.
#include "profile/totals.h"

#include <check.h>
#include <string.h>

#include "base/figures.h"
#include "base/mem.h"
#include "fixture_profile.h"

#define MANY 1000000

static struct fixture fixture;
static struct plain_profile *profile;
static struct totals totals;

static void set_up(void)
{
    fixture_init(&fixture, MANY);
    profile = NULL;
    totals = (struct totals){0};
}

static void tear_down(void)
{
    totals_fini(&totals);
    plain_free(profile);
    fixture_fini(&fixture);
}

// Of what the store holds by now.
static void count(const struct fixture *of, size_t top)
{
    totals_fini(&totals);
    plain_free(profile);
    profile = report_profile(&of->report);
    struct measure measure = measure_of(profile);
    totals_init(&totals, &measure, top);
}

static const struct total_row *row_of(const char *function)
{
    for (size_t i = 0; i < totals.count; i++)
        if (strcmp(totals.rows[i].function, function) == 0)
            return &totals.rows[i];
    ck_abort_msg("no row for %s", function);
}

START_TEST(self_and_total_are_counted)
{
    fixture_fill(&fixture);
    count(&fixture, SIZE_MAX);
    const struct total_row *hot = row_of("work_hot"), *root = row_of("main");
    ck_assert_uint_eq(hot->self.samples, 33);
    ck_assert_uint_eq(hot->self.cpu_ns, 330000000);
    ck_assert_uint_eq(hot->total.samples, 33);
    ck_assert_uint_eq(root->self.samples, 0);
    ck_assert_uint_eq(root->total.samples, 28 + 12 + 5 + 3 + 1);
    ck_assert_uint_eq(totals.all.samples, fixture.run.counts[COUNTER_SAMPLES]);
    ck_assert_uint_eq(totals.all.cpu_ns, fixture.run.counts[COUNTER_CPU_NS]);
    ck_assert_ptr_eq(&totals.rows[0], hot);
}
END_TEST

START_TEST(a_recursive_function_counts_once_a_stack)
{
    fixture_fill(&fixture);
    count(&fixture, SIZE_MAX);
    ck_assert_uint_eq(row_of("recurse")->total.samples, 5);
    ck_assert_uint_eq(row_of("recurse")->total.cpu_ns, 50000000);
    ck_assert_uint_eq(row_of("recurse")->self.samples, 0);
}
END_TEST

START_TEST(self_times_add_up_to_the_whole)
{
    fixture_fill(&fixture);
    count(&fixture, SIZE_MAX);
    struct cost sum = {0};
    for (size_t i = 0; i < totals.count; i++) {
        sum.samples += totals.rows[i].self.samples;
        sum.cpu_ns += totals.rows[i].self.cpu_ns;
        ck_assert_uint_le(totals.rows[i].total.cpu_ns, totals.all.cpu_ns);
        ck_assert_uint_ge(totals.rows[i].total.cpu_ns, totals.rows[i].self.cpu_ns);
    }
    ck_assert_uint_eq(sum.samples, totals.all.samples);
    ck_assert_uint_eq(sum.cpu_ns, totals.all.cpu_ns);
}
END_TEST

START_TEST(equal_rows_are_ordered_by_total_then_name)
{
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    fixture_add(&fixture, thread, "root|b", 1, 10);
    fixture_add(&fixture, thread, "root|c", 1, 10);
    fixture_add(&fixture, thread, "root|a", 1, 10);
    fixture_add(&fixture, thread, "root|c|leaf", 1, 30);
    count(&fixture, SIZE_MAX);
    static const char *const expected[] = {"leaf", "c", "a", "b", "root"};
    ck_assert_uint_eq(totals.count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        ck_assert_str_eq(totals.rows[i].function, expected[i]);
}
END_TEST

START_TEST(top_limits_the_rows_and_nothing_else)
{
    fixture_fill(&fixture);
    count(&fixture, SIZE_MAX);
    size_t functions = totals.count;
    count(&fixture, 2);
    ck_assert_uint_eq(totals.count, 2);
    ck_assert_uint_eq(totals.function_count, functions);
    ck_assert_uint_eq(totals.all.samples, fixture.run.counts[COUNTER_SAMPLES]);
    ck_assert_str_eq(totals.rows[1].function, "take<int>(Pool&)");
}
END_TEST

START_TEST(nothing_gives_no_rows)
{
    count(&fixture, 10);
    ck_assert_uint_eq(totals.count, 0);
    ck_assert_uint_eq(totals.all.samples, 0);
    ck_assert_double_eq(figures_percent(0, totals.all.cpu_ns), 0);
    ck_assert_double_eq(figures_percent(1, 4), 25);
}
END_TEST

START_TEST(what_the_bound_left_nothing_of_is_still_counted)
{
    struct fixture small;
    fixture_init(&small, 2); // room for one frame
    uint32_t thread = profile_thread_add(small.profile, 1, 1, "t", "p");
    fixture_add(&small, thread, "root", 1, 10);
    fixture_add(&small, thread, "other|leaf", 2, 30);
    count(&small, SIZE_MAX);
    ck_assert_uint_eq(totals.all.cpu_ns, 40);
    ck_assert_uint_eq(row_of("[folded]")->self.samples, 2);
    ck_assert_uint_eq(row_of("[folded]")->total.cpu_ns, 30);
    fixture_fini(&small);
}
END_TEST

START_TEST(wall_time_is_what_its_states_have)
{
    fixture_fill_wall(&fixture);
    count(&fixture, SIZE_MAX);
    ck_assert_uint_eq(totals.all.cpu_ns, 450000000);
    ck_assert_uint_eq(totals.all.queued_ns, 75000000);
    ck_assert_uint_eq(totals.all.blocked_ns, 3475000000);
    ck_assert_uint_eq(row_of("work_hot")->self.queued_ns, 75000000);
    ck_assert_uint_eq(row_of("nap")->total.blocked_ns, 2000000000);
}
END_TEST

Suite *suite_totals(void);

Suite *suite_totals(void)
{
    TCase *tests = tcase_create("totals");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, self_and_total_are_counted);
    tcase_add_test(tests, a_recursive_function_counts_once_a_stack);
    tcase_add_test(tests, self_times_add_up_to_the_whole);
    tcase_add_test(tests, equal_rows_are_ordered_by_total_then_name);
    tcase_add_test(tests, top_limits_the_rows_and_nothing_else);
    tcase_add_test(tests, nothing_gives_no_rows);
    tcase_add_test(tests, what_the_bound_left_nothing_of_is_still_counted);
    tcase_add_test(tests, wall_time_is_what_its_states_have);
    Suite *suite = suite_create("totals");
    suite_add_tcase(suite, tests);
    return suite;
}
