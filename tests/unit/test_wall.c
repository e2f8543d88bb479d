// SPDX-License-Identifier: MIT
#include "collect/wall.h"

#include <check.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "profile/compact.h"

static struct profile *profile;
static struct wall wall;

static void set_up(void)
{
    profile = profile_new(100000);
    profile_thread_add(profile, 1, 1, "t", "p");
}

static void tear_down(void)
{
    wall_fini(&wall);
    profile_free(profile);
}

static uint32_t stack(uint64_t number)
{
    uint32_t location = profile_location(profile, 0, number);
    return profile_stack(profile, &location, 1);
}

static const struct profile_value *value(uint64_t number, enum profile_state state)
{
    return profile_value_get(profile, profile_value_at(profile, stack(number), 0, state));
}

static void share(uint64_t elapsed, uint64_t running, uint64_t queued)
{
    wall_share(&wall, profile, 0, (struct wall_period){elapsed, running, queued},
               NULL);
}

START_TEST(each_state_is_shared_by_its_looks)
{
    wall_look(&wall, stack(1), STATE_RUNNING);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    wall_look(&wall, stack(3), STATE_BLOCKED);
    wall_again(&wall, 2);
    share(1000, 300, 0);
    ck_assert_uint_eq(value(1, STATE_RUNNING)->ns, 300);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 700 / 4);
    ck_assert_uint_eq(value(3, STATE_BLOCKED)->ns, 700 / 4 * 3);
    ck_assert_uint_eq(value(3, STATE_BLOCKED)->samples, 3);
    ck_assert_uint_eq(value(1, STATE_BLOCKED)->ns, 0);
}
END_TEST

START_TEST(time_in_the_queue_is_shared_by_all_looks)
{
    wall_look(&wall, stack(1), STATE_RUNNING);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 300, 200);
    ck_assert_uint_eq(value(1, STATE_QUEUED)->ns, 100);
    ck_assert_uint_eq(value(2, STATE_QUEUED)->ns, 100);
    ck_assert_uint_eq(value(2, STATE_QUEUED)->samples, 0);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 500);
}
END_TEST

START_TEST(nothing_is_lost_by_rounding)
{
    for (uint64_t i = 1; i <= 3; i++)
        wall_look(&wall, stack(i), STATE_BLOCKED);
    share(1000, 0, 0);
    uint64_t sum = 0;
    for (uint64_t i = 1; i <= 3; i++)
        sum += value(i, STATE_BLOCKED)->ns;
    ck_assert_uint_eq(sum, 1000);
}
END_TEST

START_TEST(time_without_a_look_waits_for_one)
{
    wall_look(&wall, stack(1), STATE_RUNNING);
    share(1000, 900, 0);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 950, 0);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 150);
    ck_assert_uint_eq(value(1, STATE_RUNNING)->ns, 900);
}
END_TEST

// A thread that waited for a CPU for 1.5 s is charged for it when it gets one.
START_TEST(what_is_charged_late_is_made_up_for)
{
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 0, 0);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 0, 1500);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 0, 0);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 1500);
    ck_assert_uint_eq(value(2, STATE_QUEUED)->ns, 1500);
}
END_TEST

START_TEST(who_sleeps_on_is_met_again)
{
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 0, 0);
    wall_again(&wall, 5);
    share(1000, 0, 0);
    wall_reset(&wall);
    wall_again(&wall, 5);
    share(1000, 0, 0);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 3000);
}
END_TEST

struct told {
    uint64_t ns[4], waits[4], longs[4]; // [wait]
};

static void tell(void *context, const struct seen_stack *seen, uint64_t ns)
{
    struct told *told = context;
    told->ns[seen->wait] += ns;
    told->waits[seen->wait] += seen->waits;
    told->longs[seen->wait] += seen->longs;
}

// One wait that is met three times, two that are met once, and one without a number.
START_TEST(waits_are_told_with_their_time)
{
    struct told told = {0};
    const struct wall_sink sink = {tell, &told};
    wall_wait(&wall, stack(1), 1);
    wall_again(&wall, 1);
    wall_again(&wall, 1);
    wall_wait(&wall, stack(1), 2);
    wall_wait(&wall, stack(1), 2);
    wall_look(&wall, stack(1), STATE_BLOCKED);
    wall_share(&wall, profile, 0, (struct wall_period){600, 0, 0}, &sink);
    ck_assert_uint_eq(told.ns[1], 300);
    ck_assert_uint_eq(told.ns[2], 200);
    ck_assert_uint_eq(told.ns[0], 0);
    ck_assert_uint_eq(told.waits[1], 1);
    ck_assert_uint_eq(told.longs[1], 1);
    ck_assert_uint_eq(told.waits[2], 2);
    ck_assert_uint_eq(told.longs[2], 0);
    wall_again(&wall, 4); // it still sleeps where it was met last
    wall_share(&wall, profile, 0, (struct wall_period){400, 0, 0}, &sink);
    ck_assert_uint_eq(told.waits[2], 2);
}
END_TEST

// A second look that saw more of the stack is none at a second wait.
START_TEST(a_wait_that_is_looked_at_twice_is_one)
{
    struct told told = {0};
    const struct wall_sink sink = {tell, &told};
    wall_same_wait(&wall, stack(1), 1); // what came before it was forgotten
    wall_same_wait(&wall, stack(2), 2);
    wall_again(&wall, 1);
    wall_share(&wall, profile, 0, (struct wall_period){300, 0, 0}, &sink);
    ck_assert_uint_eq(told.waits[1], 1);
    ck_assert_uint_eq(told.waits[2], 0);
    ck_assert_uint_eq(told.ns[2], 200);
}
END_TEST

START_TEST(a_reset_forgets_what_waits)
{
    share(1000, 0, 0);
    wall_reset(&wall);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(1000, 0, 0);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 1000);
}
END_TEST

START_TEST(where_the_one_before_slept_says_nothing)
{
    wall_look(&wall, stack(1), STATE_BLOCKED);
    share(1000, 0, 0);
    wall_fini(&wall);
    wall_again(&wall, 1);
    share(1000, 0, 0);
    ck_assert_uint_eq(value(1, STATE_BLOCKED)->ns, 1000);
}
END_TEST

START_TEST(a_time_that_is_not_known_counts_for_nothing)
{
    wall_look(&wall, stack(2), STATE_BLOCKED);
    share(0, 500, 500);
    ck_assert_uint_eq(profile_value_count(profile), 0);
}
END_TEST

START_TEST(stacks_get_new_numbers)
{
    wall_look(&wall, stack(1), STATE_BLOCKED);
    wall_look(&wall, stack(2), STATE_BLOCKED);
    uint32_t numbers[] = {0, stack(2), stack(1)};
    wall_renumber(&wall, numbers);
    wall_again(&wall, 2);
    share(4000, 0, 0);
    ck_assert_uint_eq(value(2, STATE_BLOCKED)->ns, 1000);
    ck_assert_uint_eq(value(1, STATE_BLOCKED)->ns, 3000);
}
END_TEST

// A day of a thread that never does the same twice, compacted as a session does:
// what it holds stays within bounds.
START_TEST(a_day_of_wall_time_is_bounded)
{
    struct compact_bounds bounds = {.nodes = 4000, .ended = 100, .values = 4000};
    for (uint32_t second = 0; second < 86400; second++) {
        for (uint32_t look = 0; look < 5; look++)
            wall_look(&wall, stack(second * 5 + look), look ? STATE_BLOCKED : STATE_RUNNING);
        share(NS_PER_S, NS_PER_S / 5, 0);
        if (!compact_is_due(profile, &bounds))
            continue;
        struct compact_numbers numbers;
        compact(profile, &bounds, &numbers);
        wall_renumber(&wall, numbers.stacks);
        compact_numbers_fini(&numbers);
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < profile_value_count(profile); i++)
        sum += profile_value_get(profile, i)->ns;
    ck_assert_uint_eq(sum, 86400 * (uint64_t)NS_PER_S);
    ck_assert_uint_lt(profile_value_count(profile), 5000);
    ck_assert_uint_lt(profile_node_count(profile), 5000);
}
END_TEST

Suite *suite_wall(void);
Suite *suite_wall(void)
{
    Suite *suite = suite_create("wall");
    TCase *tests = tcase_create("wall");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, each_state_is_shared_by_its_looks);
    tcase_add_test(tests, time_in_the_queue_is_shared_by_all_looks);
    tcase_add_test(tests, nothing_is_lost_by_rounding);
    tcase_add_test(tests, time_without_a_look_waits_for_one);
    tcase_add_test(tests, what_is_charged_late_is_made_up_for);
    tcase_add_test(tests, who_sleeps_on_is_met_again);
    tcase_add_test(tests, waits_are_told_with_their_time);
    tcase_add_test(tests, a_wait_that_is_looked_at_twice_is_one);
    tcase_add_test(tests, a_reset_forgets_what_waits);
    tcase_add_test(tests, where_the_one_before_slept_says_nothing);
    tcase_add_test(tests, a_time_that_is_not_known_counts_for_nothing);
    tcase_add_test(tests, stacks_get_new_numbers);
    tcase_add_test(tests, a_day_of_wall_time_is_bounded);
    suite_add_tcase(suite, tests);
    return suite;
}
