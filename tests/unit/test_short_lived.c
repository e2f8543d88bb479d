// SPDX-License-Identifier: MIT
#include "collect/short_lived.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

static struct profile *profile;
static struct modules *modules;
static struct short_lived short_lived;
static struct unattributed unattributed;
static int64_t now;

static void set_up(void)
{
    now = NS_PER_S;
    profile = profile_new(1000);
    modules = modules_new();
    profile_thread_add(profile, 1, 1, "t", "p");
}

static void tear_down(void)
{
    short_lived_fini(&short_lived);
    unattributed_fini(&unattributed);
    profile_free(profile);
    modules_free(modules);
}

static uint32_t value_in(uint32_t number, enum profile_state state)
{
    uint32_t location = profile_location(profile, 0, number);
    return profile_value_at(profile, profile_stack(profile, &location, 1), 0, state);
}

static uint32_t value(uint32_t number)
{
    return value_in(number, STATE_CPU);
}

static uint64_t cpu(uint32_t number)
{
    return profile_value_get(profile, value(number))->ns;
}

static void end(uint32_t family, const char *comm, uint32_t times, uint32_t number, uint64_t open)
{
    short_lived_end(&short_lived, family, comm, (struct weighed){value(number), times}, open);
}

static uint32_t family_of(pid_t parent, const char *comm)
{
    return short_lived_family(&short_lived, parent, comm);
}

static void share_after(int64_t ns, uint32_t family, bool wall)
{
    now += ns;
    short_lived_share(&short_lived, family, profile, wall, now);
}

static void finish(void)
{
    short_lived_end_all(&short_lived, profile, false, &unattributed);
}

START_TEST(those_that_were_sampled_once_stand_for_the_others)
{
    uint32_t shell = family_of(1, "sh");
    end(shell, "ls", 1, 1, 0);
    end(shell, "cc", 1, 2, 0);
    end(shell, "cc", 2, 3, 0);  // that is a long one
    end(shell, "ls", 0, 0, 30); // met, but not sampled
    short_lived_unmet(&short_lived, shell, 71);
    for (int i = 0; i < 3; i++) // which begins a period, ends it, and is of the next one
        share_after(NS_PER_S, shell, false);
    ck_assert_uint_eq(cpu(1), 51);
    ck_assert_uint_eq(cpu(2), 50);
    ck_assert_uint_eq(cpu(3), 0);
    finish();
    ck_assert_uint_eq(unattributed.ns, 0);
}
END_TEST

START_TEST(a_program_that_nobody_can_sample_keeps_its_time)
{
    uint32_t shell = family_of(1, "sh");
    end(shell, "ls", 1, 1, 0);
    end(shell, "sudo", 0, 0, 30);
    finish();
    ck_assert_uint_eq(cpu(1), 0);
    ck_assert_uint_eq(unattributed.ns, 30);
}
END_TEST

START_TEST(families_are_apart)
{
    uint32_t shell = family_of(1, "sh");
    uint32_t make = family_of(2, "make");
    ck_assert_uint_eq(family_of(3, "sh"), shell);
    end(shell, "ls", 1, 1, 0);
    short_lived_unmet(&short_lived, make, 10);
    finish();
    ck_assert_uint_eq(cpu(1), 0);
    ck_assert_uint_eq(unattributed.ns, 10);
}
END_TEST

START_TEST(what_is_told_late_goes_to_the_last_ones)
{
    uint32_t shell = family_of(1, "sh");
    short_lived_unmet(&short_lived, shell, 10);
    share_after(NS_PER_S, shell, false); // nobody yet
    end(shell, "ls", 1, 1, 0);
    share_after(NS_PER_S, shell, false);
    ck_assert_uint_eq(cpu(1), 0);
    share_after(NS_PER_S, shell, false);
    ck_assert_uint_eq(cpu(1), 10);
    short_lived_unmet(&short_lived, shell, -4); // it was less
    share_after(NS_PER_S, shell, false);
    short_lived_unmet(&short_lived, shell, 9);
    finish();
    ck_assert_uint_eq(cpu(1), 15);
    ck_assert_uint_eq(unattributed.ns, 0);
}
END_TEST

// In each second ten are sampled and ten are met without a sample. What those used that nobody met
// their parent tells a second later. The run ends just after the last second.
START_TEST(those_of_each_period_get_as_much)
{
    uint32_t shell = family_of(1, "sh");
    for (uint32_t i = 0; i < 81; i++) {
        end(shell, "ls", 1, i, 0);
        end(shell, "ls", 0, 0, 10);
        if (i >= 10 && i % 10 == 9)
            short_lived_unmet(&short_lived, shell, 10000);
        if (i % 10 == 9)
            share_after(NS_PER_S, shell, false);
    }
    share_after(NS_PER_MS, shell, false);
    short_lived_unmet(&short_lived, shell, 10000);
    finish();
    for (uint32_t i = 0; i < 81; i++) {
        ck_assert_uint_ge(cpu(i), 900);
        ck_assert_uint_le(cpu(i), 1100);
    }
}
END_TEST

START_TEST(running_time_of_wall_profiles_gets_it_too)
{
    uint32_t shell = family_of(1, "sh");
    end(shell, "ls", 1, 1, 0);
    short_lived_unmet(&short_lived, shell, 10);
    for (int i = 0; i < 3; i++)
        share_after(NS_PER_S, shell, true);
    ck_assert_uint_eq(cpu(1), 10);
    ck_assert_uint_eq(profile_value_get(profile, value_in(1, STATE_RUNNING))->ns, 10);
}
END_TEST

START_TEST(values_get_new_numbers)
{
    uint32_t numbers[] = {0, 1, 2}, swapped[] = {0, 2, 1};
    uint32_t shell = family_of(1, "sh");
    for (uint32_t i = 0; i < 3; i++)
        numbers[i] = value(i);
    end(shell, "ls", 1, 1, 0);
    share_after(NS_PER_S, shell, false);
    share_after(NS_PER_S, shell, false);
    end(shell, "ls", 1, 1, 0);
    short_lived_renumber(&short_lived, swapped);
    short_lived_unmet(&short_lived, shell, 10);
    finish();
    ck_assert_uint_eq(profile_value_get(profile, numbers[2])->ns, 10);
}
END_TEST

// More programs than are told apart: nothing is lost.
START_TEST(programs_without_number)
{
    for (int i = 0; i < 1000; i++) {
        char comm[16];
        snprintf(comm, sizeof comm, "%d", i);
        uint32_t family = family_of(i, comm);
        short_lived_unmet(&short_lived, family, 1);
        end(0, comm, 0, 0, 1);
    }
    finish();
    ck_assert_uint_eq(unattributed.ns, 2000);
    ck_assert_uint_le(short_lived.count, 300);
}
END_TEST

// --- whatever the programs are like

#define RATE 0.1 // samples for each ns
#define PROGRAMS 3

static double chance(void)
{
    return ((double)random() + 1) / ((double)RAND_MAX + 2);
}

// A process that runs for that long, sampled without memory. Each second one that has no sample is
// not even met. Returns what it keeps.
static uint64_t live(uint32_t family, uint32_t program, uint64_t ns)
{
    static const char *const comms[PROGRAMS] = {"a", "b", "c"};
    static unsigned unsampled;
    uint32_t times = 0;
    for (double at = 0; (at -= log(chance()) / RATE) < (double)ns;)
        times++;
    if (times)
        end(family, comms[program], times, program, 0);
    else if (unsampled++ % 2)
        end(family, comms[program], 0, program, ns);
    else
        short_lived_unmet(&short_lived, family, (int64_t)ns);
    return times ? ns : 0;
}

// Programs that run for 2, 10 and 40 ns of which one in 10 ns is sampled: 18 to 98 % of their
// processes have a sample, and all get what they used.
START_TEST(nobody_gets_more_than_it_used)
{
    static const uint64_t lengths[PROGRAMS] = {2, 10, 40};
    const unsigned lives = 20000;
    uint64_t used[PROGRAMS] = {0}, kept[PROGRAMS] = {0}, all = 0, got = 0;
    uint32_t family = family_of(1, "sh");
    srandom(7);
    for (unsigned i = 0; i < lives; i++) {
        uint32_t program = i % PROGRAMS;
        used[program] += lengths[program];
        kept[program] += live(family, program, lengths[program]);
        if (i % 200 == 0)
            share_after(NS_PER_S, family, false);
    }
    finish();
    for (uint32_t i = 0; i < PROGRAMS; i++) {
        all += used[i];
        got += kept[i] + cpu(i);
        // Each is sampled about `used * RATE` times, which is known to its square root.
        double error = 3 * sqrt((double)used[i] * RATE) / RATE;
        ck_assert_double_eq_tol((double)(kept[i] + cpu(i)), (double)used[i], error);
    }
    ck_assert_uint_eq(got, all);
}
END_TEST

Suite *suite_short_lived(void);
Suite *suite_short_lived(void)
{
    Suite *suite = suite_create("short_lived");
    TCase *tests = tcase_create("short_lived");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, those_that_were_sampled_once_stand_for_the_others);
    tcase_add_test(tests, a_program_that_nobody_can_sample_keeps_its_time);
    tcase_add_test(tests, families_are_apart);
    tcase_add_test(tests, what_is_told_late_goes_to_the_last_ones);
    tcase_add_test(tests, those_of_each_period_get_as_much);
    tcase_add_test(tests, running_time_of_wall_profiles_gets_it_too);
    tcase_add_test(tests, values_get_new_numbers);
    tcase_add_test(tests, programs_without_number);
    tcase_add_test(tests, nobody_gets_more_than_it_used);
    suite_add_tcase(suite, tests);
    return suite;
}
