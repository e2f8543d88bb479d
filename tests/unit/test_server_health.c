// SPDX-License-Identifier: MIT
// What is said of made histories.
#include "serve/health.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "serve/memory_share.h"

#define MIB (1ull << 20)

static const struct serve_settings settings = {SERVE_DEFAULTS};

// A reading every 2 s.
static void add(struct history *history, size_t number, uint64_t rss, uint64_t threads)
{
    int64_t at = (int64_t)(number + 1) * 2 * NS_PER_S;
    struct metrics metrics = {.at = at, .wall = at};
    for (size_t i = 0; i < METRIC_COUNT; i++)
        metrics.values[i] = METRIC_UNKNOWN;
    metrics.values[METRIC_RSS] = rss;
    metrics.values[METRIC_THREADS] = threads;
    history_add(history, &metrics);
}

static struct health_facts facts_of(const struct history *history)
{
    return (struct health_facts){.memory_percent = 10, .memory_of = "its limit",
                                 .deadlock = HEALTH_DEADLOCK_NONE, .deadlock_text = "",
                                 .history = history};
}

static bool has(const struct health *health, const char *rule, enum health_status status)
{
    for (size_t i = 0; i < health->count; i++)
        if (strcmp(health->issues[i].rule, rule) == 0)
            return health->issues[i].status == status && *health->issues[i].text;
    return false;
}

static const struct {
    double percent;
    uint64_t threads;
    enum health_status memory, all;
} thresholds[] = {
    {10, 10, HEALTH_HEALTHY, HEALTH_HEALTHY},
    {75, 5000, HEALTH_HEALTHY, HEALTH_HEALTHY},
    {75.1, 5000, HEALTH_DEGRADED, HEALTH_DEGRADED},
    {90, 5001, HEALTH_DEGRADED, HEALTH_DEGRADED},
    {90.1, 10, HEALTH_UNHEALTHY, HEALTH_UNHEALTHY},
    {10, 10001, HEALTH_HEALTHY, HEALTH_UNHEALTHY},
};

START_TEST(figures_above_their_thresholds)
{
    struct history *history = history_new(4);
    struct health health;
    struct health_facts facts = facts_of(history);
    add(history, 0, 100 * MIB, thresholds[_i].threads);
    facts.memory_percent = thresholds[_i].percent;
    health_judge(&settings, &facts, &health);
    ck_assert_int_eq(health.status, thresholds[_i].all);
    ck_assert_int_eq(has(&health, "memory", thresholds[_i].memory),
                     thresholds[_i].memory != HEALTH_HEALTHY);
    history_free(history);
}
END_TEST

START_TEST(descriptors)
{
    struct history *history = history_new(4);
    struct health health;
    struct health_facts facts = facts_of(history);
    struct metrics metrics = {.at = NS_PER_S};
    metrics.values[METRIC_DESCRIPTORS] = 96;
    metrics.values[METRIC_DESCRIPTORS_MOST] = 100;
    history_add(history, &metrics);
    health_judge(&settings, &facts, &health);
    ck_assert(has(&health, "descriptors", HEALTH_UNHEALTHY));
    metrics.values[METRIC_DESCRIPTORS_MOST] = 0; // none may be opened any more: no percentage
    history_add(history, &metrics);
    health_judge(&settings, &facts, &health);
    ck_assert_uint_eq(health.count, 0);
    history_free(history);
}
END_TEST

START_TEST(deadlocks)
{
    struct health health;
    struct health_facts facts = facts_of(NULL);
    facts.deadlock = HEALTH_DEADLOCK_CERTAIN;
    facts.deadlock_text = "a (1) waits: b";
    health_judge(&settings, &facts, &health);
    ck_assert(has(&health, "deadlock", HEALTH_UNHEALTHY));
    ck_assert_str_eq(health.issues[0].text, "deadlock: a (1) waits: b");
    facts.deadlock = HEALTH_DEADLOCK_PROBABLE;
    health_judge(&settings, &facts, &health);
    ck_assert(has(&health, "deadlock", HEALTH_DEGRADED));
    facts.deadlock = HEALTH_DEADLOCK_UNKNOWN;
    health_judge(&settings, &facts, &health);
    ck_assert_int_eq(health.status, HEALTH_HEALTHY);
}
END_TEST

START_TEST(nothing_is_known)
{
    struct history *history = history_new(4);
    struct health health;
    struct health_facts facts = facts_of(history);
    facts.memory_percent = NAN;
    health_judge(&settings, &facts, &health);
    ck_assert_uint_eq(health.count, 0);
    add(history, 0, METRIC_UNKNOWN, METRIC_UNKNOWN);
    health_judge(&settings, &facts, &health);
    ck_assert_uint_eq(health.count, 0);
    history_free(history);
}
END_TEST

// Growth of rss by kilobytes and of threads in each reading, and after how many it ends.
static const struct {
    size_t readings, ends;
    uint64_t memory, threads;
    bool memory_grows, threads_leak;
} histories[] = {
    {300, 300, 1024, 0, true, false},  // 512 KiB a second
    {300, 300, 4, 0, false, false},    // 1.2 MiB in ten minutes: nothing to speak of
    {100, 100, 1024, 1, false, false}, // of 200 s: too short to tell
    {300, 60, 10240, 5, false, false}, // it warmed up
    {300, 300, 0, 1, false, true},
    {1000, 1000, 1024, 1, true, true},
    {300, 300, 0, 0, false, false},
};

START_TEST(growth)
{
    struct history *history = history_new(1000);
    struct health health;
    struct health_facts facts = facts_of(history);
    for (size_t i = 0; i < histories[_i].readings; i++) {
        uint64_t steps = i < histories[_i].ends ? i : histories[_i].ends;
        uint64_t wave = i % 7; // work that comes and goes
        add(history, i, 100 * MIB + wave * 1024 * 64 + steps * histories[_i].memory * 1024,
            20 + wave % 3 + steps * histories[_i].threads);
    }
    health_judge(&settings, &facts, &health);
    ck_assert_int_eq(has(&health, "memory_growth", HEALTH_DEGRADED), histories[_i].memory_grows);
    ck_assert_int_eq(has(&health, "thread_leak", HEALTH_DEGRADED), histories[_i].threads_leak);
    for (size_t i = 0; i < health.count && histories[_i].readings == 300; i++)
        if (strcmp(health.issues[i].rule, "thread_leak") == 0) // what was counted, no slope
            ck_assert_ptr_nonnull(strstr(health.issues[i].text, "from 20 to 321 in the last"));
    history_free(history);
}
END_TEST

// What was started again begins anew.
START_TEST(growth_of_another_process)
{
    struct history *history = history_new(1000);
    struct health health;
    struct health_facts facts = facts_of(history);
    for (size_t i = 0; i < 300; i++)
        add(history, i, (100 + i) * MIB, 20 + i);
    health_judge(&settings, &facts, &health);
    ck_assert_uint_eq(health.count, 2);
    facts.since = 2ll * 250 * NS_PER_S;
    health_judge(&settings, &facts, &health);
    ck_assert_uint_eq(health.count, 0);
    history_free(history);
}
END_TEST

// --- of what memory is a share

START_TEST(share_of_memory)
{
    char path[] = "/a/b", above[] = "/a";
    struct memory_group group = {.lowest_limit = MEMORY_NO_LIMIT};
    for (size_t i = 0; i < MEMORY_GROUP_FIGURE_COUNT; i++)
        group.figures[i] = MEMORY_UNKNOWN;
    struct memory_share share = memory_share_of(&group, 10 * MIB, 1000 * MIB);
    ck_assert_double_eq(share.percent, 1);
    ck_assert_uint_eq(share.limit, 1000 * MIB);
    group.lowest_limit = 100 * MIB;
    group.path = path;
    group.limit_path = path;
    group.figures[MEMORY_GROUP_USE] = 80 * MIB;
    group.figures[MEMORY_GROUP_CACHE] = 30 * MIB;
    share = memory_share_of(&group, 10 * MIB, 1000 * MIB);
    ck_assert_double_eq(share.percent, 50); // what can be dropped does not count
    group.limit_path = above; // how much that one uses is not read
    share = memory_share_of(&group, 10 * MIB, 1000 * MIB);
    ck_assert_double_eq(share.percent, 10);
    group.lowest_limit = 5000 * MIB; // more than there is
    share = memory_share_of(&group, MEMORY_UNKNOWN, 1000 * MIB);
    ck_assert(isnan(share.percent));
    ck_assert_uint_eq(share.limit, 1000 * MIB);
}
END_TEST

Suite *suite_server_health(void)
{
    Suite *suite = suite_create("server_health");
    TCase *tests = tcase_create("server_health");
    tcase_add_loop_test(tests, figures_above_their_thresholds, 0,
                        sizeof thresholds / sizeof *thresholds);
    tcase_add_test(tests, descriptors);
    tcase_add_test(tests, deadlocks);
    tcase_add_test(tests, nothing_is_known);
    tcase_add_loop_test(tests, growth, 0, sizeof histories / sizeof *histories);
    tcase_add_test(tests, growth_of_another_process);
    tcase_add_test(tests, share_of_memory);
    suite_add_tcase(suite, tests);
    return suite;
}
