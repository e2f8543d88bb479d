// SPDX-License-Identifier: MIT
// Which waits are for work, of threads whose stacks are made up.
#include "profile/idle_waits.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture_profile.h"
#include "profile/fill.h"

#define SHORT (10 * (uint64_t)NS_PER_MS)

static struct fixture fixture;
static bool *idle;

static void set_up(void)
{
    fixture_init(&fixture, 1000);
    for (pid_t tid = 1; tid < 4; tid++)
        profile_thread_add(fixture.profile, 1, tid, "t", "p");
}

static void tear_down(void)
{
    free(idle);
    idle = NULL;
    fixture_fini(&fixture);
}

// Returns the number of the value; `waits` waits of `each` ns.
static uint32_t add_wait(uint32_t thread, const char *stack, enum wait_idle kind,
                         uint64_t waits, uint64_t each)
{
    struct profile *profile = fixture.profile;
    fixture_add(&fixture, thread, stack, 0, 0);
    uint32_t node =
        profile_value_get(profile, profile_value_count(profile) - 1)->stack;
    uint32_t wait = profile_wait_add(profile);
    profile_wait_set(profile, wait, "condition", NULL, (struct profile_wait){.idle = kind});
    uint32_t value = profile_value_of_wait(profile, node, thread, STATE_DELAYED, wait);
    profile_add(profile, value, waits, waits * each);
    return value;
}

static bool is_idle(uint32_t value)
{
    struct query_source source = report_source(&fixture.report);
    free(idle);
    idle = xcalloc(profile_value_count(fixture.profile), sizeof *idle);
    idle_waits_find(&(struct idle_source){source.profile, query_function, &source}, idle);
    return idle[value];
}

START_TEST(an_event_loop)
{
    uint32_t loop = add_wait(0, "main|loop|poll_events|epoll_wait", WAIT_IDLE_LOOP, 100, SHORT);
    fixture_add(&fixture, 0, "main|loop|handle|parse", 5, 500);
    fixture_add(&fixture, 0, "main|loop|handle|answer", 5, 400);
    fixture_add(&fixture, 0, "main|loop|poll_events|epoll_wait", 3, 900); // on its way to sleep
    ck_assert(is_idle(loop));
    fixture_add(&fixture, 0, "main|start", 5, 200); // more than a tenth is done elsewhere
    ck_assert(!is_idle(loop));
}
END_TEST

// The same call for an answer, deeper than where all work is done.
START_TEST(a_wait_amid_work)
{
    uint32_t deep = add_wait(0, "main|loop|handle|ask|epoll_wait", WAIT_IDLE_LOOP, 100, SHORT);
    fixture_add(&fixture, 0, "main|loop|handle|ask|pack", 3, 300);
    fixture_add(&fixture, 0, "main|loop|other", 7, 700);
    ck_assert(!is_idle(deep));
}
END_TEST

START_TEST(a_pool_and_a_single_thread)
{
    uint32_t one = add_wait(0, "start|work|take|cond_wait", WAIT_IDLE_POOL, 100, SHORT);
    fixture_add(&fixture, 0, "start|work|run", 5, 500);
    ck_assert(!is_idle(one)); // it may wait for an answer
    uint32_t other = add_wait(1, "start|work|take|cond_wait", WAIT_IDLE_POOL, 100, SHORT);
    ck_assert(is_idle(one));
    ck_assert(is_idle(other)); // it had nothing to do
    uint32_t elsewhere = add_wait(2, "start|ask|cond_wait", WAIT_IDLE_POOL, 100, SHORT);
    ck_assert(!is_idle(elsewhere));
}
END_TEST

START_TEST(a_thread_that_nobody_wakes)
{
    uint32_t parked = add_wait(0, "start|flush|cond_wait",
                             WAIT_IDLE_POOL, 2, 3 * (uint64_t)NS_PER_S);
    ck_assert(is_idle(parked));
}
END_TEST

// Whatever a Python program does, the functions of the interpreter are the same.
START_TEST(below_an_interpreter)
{
    uint32_t lock = add_wait(0, "main|_PyEval_EvalFrameDefault|sem_wait",
                               WAIT_IDLE_POOL, 100, SHORT);
    add_wait(1, "main|_PyEval_EvalFrameDefault|sem_wait", WAIT_IDLE_POOL, 100, SHORT);
    uint32_t loop = add_wait(2, "main|Perl_runops_standard|epoll_wait", WAIT_IDLE_LOOP, 100, SHORT);
    fixture_add(&fixture, 0, "main|_PyEval_EvalFrameDefault|add", 5, 500);
    ck_assert(!is_idle(lock));
    ck_assert(!is_idle(loop));
}
END_TEST

START_TEST(kinds_decide_too)
{
    uint32_t never = add_wait(0, "start|serve|read", WAIT_IDLE_NEVER, 1, 9 * (uint64_t)NS_PER_S);
    uint32_t always = add_wait(1, "main|deep|deeper|accept", WAIT_IDLE_ALWAYS, 100, SHORT);
    fixture_add(&fixture, 1, "main|other", 9, 900);
    ck_assert(!is_idle(never));
    ck_assert(is_idle(always));
}
END_TEST

// Returns the number of waits in a profile without those that are shorter than that.
static int64_t count_not_below(int64_t least)
{
    struct query_source source = report_source(&fixture.report);
    source.type = &profile_types[PROFILE_BLOCK];
    source.least_block = least;
    struct plain_profile *profile = fill_profile(&source, fixture.report.run);
    int64_t count = 0;
    for (uint32_t i = 0; i < profile->samples.count; i++)
        count += plain_values(profile, i)[0];
    plain_free(profile);
    return count;
}

START_TEST(brief_waits_are_left_out)
{
    add_wait(0, "start|serve|read", WAIT_IDLE_NEVER, 4, SHORT);
    add_wait(0, "start|serve|write", WAIT_IDLE_NEVER, 2, SHORT / 2);
    ck_assert_int_eq(count_not_below(0), 6);
    ck_assert_int_eq(count_not_below(SHORT), 4);
    ck_assert_int_eq(count_not_below(SHORT + 1), 0);
    ck_assert_int_eq(count_not_below(INT64_C(1) << 62), 0); // of four it does not fit into 64 bits
}
END_TEST

Suite *suite_idle_waits(void);
Suite *suite_idle_waits(void)
{
    Suite *suite = suite_create("idle_waits");
    TCase *tests = tcase_create("idle_waits");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, an_event_loop);
    tcase_add_test(tests, a_wait_amid_work);
    tcase_add_test(tests, a_pool_and_a_single_thread);
    tcase_add_test(tests, brief_waits_are_left_out);
    tcase_add_test(tests, a_thread_that_nobody_wakes);
    tcase_add_test(tests, below_an_interpreter);
    tcase_add_test(tests, kinds_decide_too);
    suite_add_tcase(suite, tests);
    return suite;
}
