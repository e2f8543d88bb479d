// SPDX-License-Identifier: MIT
// A store that grows, as plain profiles: what rows say of one is what they say of the file that
// would be written.
#include "profile/live.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_profile.h"
#include "output/report.h"
#include "profile/slices.h"
#include "rows/rows.h"

#define PATIENCE_MS 60000

static struct fixture fixture;
static struct fetcher *fetcher;
static struct live *live;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rows_query query;
static struct err err;

static void set_up(void)
{
    fixture_init(&fixture, 1000);
    ck_assert_int_eq(fetcher_new(fixture.symbolizer, &fetcher, &err), RC_OK);
    live = live_new(&(struct live_source){fixture.modules, fixture.symbolizer, fetcher, &lock});
    query = (struct rows_query){.window = WINDOW_ALL};
}

static void tear_down(void)
{
    live_free(live);
    fetcher_free(fetcher);
    fixture_fini(&fixture);
}

static struct moment take(void)
{
    live_follow(live, fixture.profile);
    ck_assert(live_names(live, PATIENCE_MS));
    struct moment moment = {.names = live_functions(live)};
    moment.profile = live_take(live, &moment.sampled);
    return moment;
}

static struct moment written(void)
{
    return moment_of(report_profile(&fixture.report), NULL);
}

static void check_functions(const struct moment *one, const struct moment *other)
{
    struct function_rows a, b;
    ck_assert_int_eq(rows_functions(one, &query, &a, &err), RC_OK);
    ck_assert_int_eq(rows_functions(other, &query, &b, &err), RC_OK);
    ck_assert_uint_eq(a.count, b.count);
    ck_assert_uint_gt(a.count, 0);
    for (size_t i = 0; i < a.count; i++) {
        ck_assert_str_eq(a.rows[i].function->name, b.rows[i].function->name);
        ck_assert_uint_eq(a.rows[i].id, b.rows[i].id);
        ck_assert_int_eq(memcmp(&a.rows[i].self, &b.rows[i].self, sizeof a.rows[i].self), 0);
        ck_assert_int_eq(memcmp(&a.rows[i].total, &b.rows[i].total, sizeof a.rows[i].total), 0);
        if (strcmp(a.rows[i].function->name, "[folded]") != 0) // a root is in no thread
            ck_assert_uint_eq(a.rows[i].threads, b.rows[i].threads);
    }
    function_rows_fini(&a);
    function_rows_fini(&b);
}

static void check_threads(const struct moment *one, const struct moment *other)
{
    struct thread_rows a, b;
    ck_assert_int_eq(rows_threads(one, &query, &a, &err), RC_OK);
    ck_assert_int_eq(rows_threads(other, &query, &b, &err), RC_OK);
    ck_assert_uint_eq(a.count, b.count);
    for (size_t i = 0; i < a.count; i++) {
        ck_assert_int_eq(a.rows[i].tid, b.rows[i].tid);
        ck_assert_int_eq(a.rows[i].pid, b.rows[i].pid);
        ck_assert_str_eq(a.rows[i].name, b.rows[i].name);
        ck_assert_int_eq(memcmp(&a.rows[i].cost, &b.rows[i].cost, sizeof a.rows[i].cost), 0);
    }
    thread_rows_fini(&a);
    thread_rows_fini(&b);
}

static void check_same(void)
{
    struct moment one = take(), other = written();
    check_functions(&one, &other);
    check_threads(&one, &other);
    moment_fini(&one);
    moment_fini(&other);
}

START_TEST(rows_are_those_of_the_file)
{
    fixture_fill(&fixture);
    check_same();
}
END_TEST

START_TEST(what_is_new_is_taken_in)
{
    uint32_t thread = profile_thread_add(fixture.profile, 1, 7, "first", "p");
    fixture_add(&fixture, thread, "main|work", 3, 30);
    struct moment before = take();
    check_same();
    fixture_fill(&fixture);
    fixture_add(&fixture, thread, "main|work|more", 1, 10);
    check_same();
    struct function_rows rows;
    ck_assert_int_eq(rows_functions(&before, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(rows.all.samples, 3);
    ck_assert_uint_eq(rows.count, 2);
    function_rows_fini(&rows);
    moment_fini(&before);
}
END_TEST

START_TEST(wall_time_has_states)
{
    fixture_fill_wall(&fixture);
    query.filter.type = "wall";
    check_same();
    struct moment moment = take();
    struct function_rows rows;
    ck_assert_int_eq(rows_functions(&moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_gt(rows.all.queued_ns, 0);
    ck_assert_uint_gt(rows.all.blocked_ns, 0);
    function_rows_fini(&rows);
    fixture.run.type = PROFILE_CPU;
    query.filter.type = NULL;
    struct moment other = written();
    check_functions(&moment, &other);
    moment_fini(&moment);
    moment_fini(&other);
}
END_TEST

static uint32_t add_wait(const char *kind, const char *object, struct profile_wait facts)
{
    uint32_t wait = profile_wait_add(fixture.profile);
    profile_wait_set(fixture.profile, wait, kind, object, facts);
    return wait;
}

static void add_delay(uint32_t thread, const char *stack, enum profile_state state, uint32_t wait,
                      uint64_t ns)
{
    struct profile *profile = fixture.profile;
    fixture_add(&fixture, thread, stack, 0, 0);
    uint32_t node = profile_value_get(profile, profile_value_count(profile) - 1)->stack;
    profile_add(profile, profile_value_of_wait(profile, node, thread, state, wait), 3, ns);
}

// Waits of two threads: for a lock that one of them holds, for work, and for something that is not
// known yet.
static uint32_t fill_delays(void)
{
    uint32_t held = add_wait("lock", "the_lock", (struct profile_wait){.lock = true});
    uint32_t always = add_wait("accept", NULL, (struct profile_wait){.idle = WAIT_IDLE_ALWAYS});
    uint32_t late = profile_wait_add(fixture.profile);
    uint32_t one = profile_thread_add(fixture.profile, 1, 7, "one", "p");
    uint32_t other = profile_thread_add(fixture.profile, 1, 8, "other", "p");
    fixture_add(&fixture, one, "main|work", 3, 30);
    add_delay(one, "main|work|lock", STATE_DELAYED, held, 500);
    add_delay(one, "main|serve", STATE_DELAYED, always, 4000);
    add_delay(other, "main|work", STATE_HOLDING, held, 500);
    add_delay(other, "main|work", STATE_DELAYED, late, 200);
    return late;
}

static void check_type(enum profile_kind kind, uint64_t ns)
{
    struct moment moment = take();
    struct function_rows rows;
    query.filter.type = profile_types[kind].name;
    fixture.run.type = kind;
    check_same();
    ck_assert_int_eq(rows_functions(&moment, &query, &rows, &err), RC_OK);
    ck_assert_uint_eq(cost_ns(rows.all), ns);
    function_rows_fini(&rows);
    moment_fini(&moment);
}

START_TEST(delays_are_those_of_the_file)
{
    uint32_t late = fill_delays();
    check_type(PROFILE_CPU, 30);
    check_type(PROFILE_BLOCK, 700);
    check_type(PROFILE_MUTEX, 1000);
    profile_wait_set(fixture.profile, late, "lock", "0x10", (struct profile_wait){.lock = true});
    check_type(PROFILE_BLOCK, 700);
    check_type(PROFILE_MUTEX, 1200);
}
END_TEST

START_TEST(waits_for_work_are_in_it_if_they_are_asked_for)
{
    fill_delays();
    query.filter.idle_waits = fixture.run.idle_waits = true;
    check_type(PROFILE_BLOCK, 4700);
    check_type(PROFILE_MUTEX, 1000);
}
END_TEST

START_TEST(a_thread_gets_another_name)
{
    uint32_t thread = profile_thread_add(fixture.profile, 1, 7, "before", "p");
    fixture_add(&fixture, thread, "main|work", 3, 30);
    struct moment before = take();
    profile_thread_rename(fixture.profile, thread, "after");
    check_same();
    struct thread_rows rows;
    ck_assert_int_eq(rows_threads(&before, &query, &rows, &err), RC_OK);
    ck_assert_str_eq(rows.rows[0].name, "before");
    thread_rows_fini(&rows);
    moment_fini(&before);
}
END_TEST

START_TEST(a_stack_that_was_folded_is_at_the_root)
{
    fixture_fini(&fixture);
    live_free(live);
    fetcher_free(fetcher);
    fixture_init(&fixture, 1);
    ck_assert_int_eq(fetcher_new(fixture.symbolizer, &fetcher, &err), RC_OK);
    live = live_new(&(struct live_source){fixture.modules, fixture.symbolizer, fetcher, &lock});
    uint32_t thread = profile_thread_add(fixture.profile, 1, 7, "t", "p");
    uint32_t value = profile_value_at(fixture.profile, 0, thread, STATE_CPU);
    profile_add(fixture.profile, value, 4, 40);
    check_same();
    struct moment moment = take();
    struct plain_profile *extracted;
    ck_assert_int_eq(rows_extract(&moment, &query, &extracted, &err), RC_OK);
    moment_fini(&moment);
    moment = moment_of(extracted, NULL);
    struct moment other = written();
    check_functions(&moment, &other);
    ck_assert_uint_ne(extracted->samples.list[0].stack, 0);
    moment_fini(&moment);
    moment_fini(&other);
}
END_TEST

// A day of threads that call themselves something new each time.
START_TEST(names_of_threads_do_not_add_up)
{
    uint32_t thread = profile_thread_add(fixture.profile, 1, 7, "t", "p");
    uint32_t value = profile_value_at(fixture.profile, 0, thread, STATE_CPU);
    profile_add(fixture.profile, value, 1, 10);
    size_t times = 0;
    for (; times < 86400 && !live_is_worn(live); times++) {
        AUTO_FREE char *name = xasprintf("task-%zu", times);
        profile_thread_rename(fixture.profile, thread, name);
        struct moment moment = take();
        moment_fini(&moment);
    }
    ck_assert_uint_gt(times, 1000);
    ck_assert_uint_lt(times, 86400);
}
END_TEST

Suite *suite_live(void);

Suite *suite_live(void)
{
    TCase *tests = tcase_create("live");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, rows_are_those_of_the_file);
    tcase_add_test(tests, what_is_new_is_taken_in);
    tcase_add_test(tests, wall_time_has_states);
    tcase_add_test(tests, delays_are_those_of_the_file);
    tcase_add_test(tests, waits_for_work_are_in_it_if_they_are_asked_for);
    tcase_add_test(tests, a_thread_gets_another_name);
    tcase_add_test(tests, a_stack_that_was_folded_is_at_the_root);
    tcase_add_test(tests, names_of_threads_do_not_add_up);
    Suite *suite = suite_create("live");
    suite_add_tcase(suite, tests);
    return suite;
}
