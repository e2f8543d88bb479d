// SPDX-License-Identifier: MIT
#include "profile/compact.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "base/mem.h"
#include "collect/weights.h"
#include "profile/slices.h"

static struct profile *profile;
static struct compact_numbers numbers;

static void set_up(void)
{
    profile = profile_new(100000);
    numbers = (struct compact_numbers){0};
}

static void tear_down(void)
{
    compact_numbers_fini(&numbers);
    profile_free(profile);
}

// Offsets stand for functions: from the root to the leaf.
static uint32_t stack_of(const uint64_t *offsets, size_t count)
{
    uint32_t node = 0;
    for (size_t i = 0; i < count; i++)
        node = profile_child(profile, node, profile_location(profile, 0, offsets[i]));
    return node;
}

static uint32_t add(const uint64_t *offsets, size_t count, uint32_t thread, uint64_t samples,
                    uint64_t cpu_ns)
{
    uint32_t value = profile_value_at(profile, stack_of(offsets, count), thread, STATE_CPU);
    profile_add(profile, value, samples, cpu_ns);
    return value;
}

struct sum {
    uint64_t samples, cpu_ns;
};

static struct sum sum(void)
{
    struct sum sum = {0};
    for (size_t i = 0; i < profile_value_count(profile); i++) {
        sum.samples += profile_value_get(profile, i)->samples;
        sum.cpu_ns += profile_value_get(profile, i)->ns;
    }
    return sum;
}

static uint32_t thread(pid_t tid, const char *comm, bool ended)
{
    uint32_t number = profile_thread_add(profile, 1, tid, comm, "p");
    if (ended)
        profile_thread_end(profile, number);
    return number;
}

START_TEST(ended_threads_of_a_name_become_one)
{
    static const uint64_t a[] = {1, 2}, b[] = {1, 3};
    struct compact_bounds bounds = {.nodes = SIZE_MAX, .ended = 3, .values = 1000};
    uint32_t live = thread(10, "pool", false), old = thread(11, "pool", true);
    uint32_t older = thread(12, "pool", true), other = thread(13, "other", true);
    uint32_t values[] = {add(a, 2, live, 1, 10), add(a, 2, old, 2, 20), add(b, 2, older, 4, 40),
                         add(a, 2, older, 8, 80), add(a, 2, other, 16, 160)};
    ck_assert(compact_is_due(profile, &bounds));
    compact(profile, &bounds, &numbers);
    ck_assert_uint_eq(profile_thread_count(profile), 3);
    ck_assert_uint_eq(numbers.threads[old], numbers.threads[older]);
    ck_assert_uint_ne(numbers.threads[old], numbers.threads[live]);
    const struct profile_thread *pool = profile_thread_get(profile, numbers.threads[old]);
    ck_assert_int_eq(pool->tid, 0);
    ck_assert_str_eq(profile_string(profile, pool->comm), "pool");
    ck_assert_int_eq(profile_thread_get(profile, numbers.threads[live])->tid, 10);
    ck_assert_uint_eq(numbers.values[values[1]], numbers.values[values[3]]);
    ck_assert_uint_eq(profile_value_get(profile, numbers.values[values[1]])->samples, 10);
    ck_assert_uint_eq(sum().samples, 31);
    ck_assert_uint_eq(sum().cpu_ns, 310);
    ck_assert_uint_eq(profile_folded(profile), 0);
    ck_assert_uint_eq(profile_node_count(profile), 4);
}
END_TEST

START_TEST(light_stacks_lose_their_leaves)
{
    struct compact_bounds bounds = {.nodes = 100, .ended = 10, .values = 1000};
    uint32_t one = thread(10, "t", false);
    for (uint64_t i = 0; i < 120; i++)
        add((const uint64_t[]){1, 2, 100 + i}, 3, one, i < 5 ? 1000 : 1, 10);
    compact(profile, &bounds, &numbers);
    ck_assert_uint_eq(profile_node_count(profile), 1 + 2 + 5);
    ck_assert_uint_eq(profile_location_count(profile), 7);
    ck_assert_uint_eq(profile_folded(profile), 115);
    ck_assert_uint_eq(sum().samples, 5 * 1000 + 115);
    ck_assert_uint_eq(sum().cpu_ns, 1200);
    ck_assert_uint_eq(profile_value_count(profile), 6);
}
END_TEST

START_TEST(recent_stacks_are_kept_before_old_ones)
{
    struct compact_bounds bounds = {.nodes = 20, .ended = 10, .values = 1000};
    uint32_t one = thread(10, "t", false);
    profile_keep_slices(profile, 100);
    slices_advance(profile_slices(profile), 0);
    for (uint64_t i = 0; i < 15; i++)
        add((const uint64_t[]){1, i + 10}, 2, one, 2, 0);
    slices_advance(profile_slices(profile), 1000 * (int64_t)NS_PER_S);
    uint32_t recent = add((const uint64_t[]){1, 99}, 2, one, 1, 0);
    slices_advance(profile_slices(profile), 1001 * (int64_t)NS_PER_S);
    compact(profile, &bounds, &numbers);
    const struct profile_value *value = profile_value_get(profile, numbers.values[recent]);
    struct stack_node leaf = profile_node(profile, value->stack);
    ck_assert_uint_eq(profile_location_get(profile, leaf.location).offset, 99);
    ck_assert_uint_eq(slices_get(profile_slices(profile), 0).entries[0].value,
                      numbers.values[recent]);
    ck_assert_uint_le(profile_node_count(profile), 10);
}
END_TEST

START_TEST(many_values_make_stacks_shorter)
{
    struct compact_bounds bounds = {.nodes = 100000, .ended = 10, .values = 200};
    for (uint32_t i = 0; i < 20; i++) {
        uint32_t one = thread((pid_t)i + 1, "t", false);
        for (uint64_t k = 0; k < 20; k++)
            add((const uint64_t[]){1, 2, 10 + k}, 3, one, k + 1, 1);
    }
    ck_assert(compact_is_due(profile, &bounds));
    compact(profile, &bounds, &numbers);
    ck_assert_uint_le(profile_value_count(profile), 100);
    ck_assert_uint_eq(sum().samples, 20 * 210);
}
END_TEST

// --- a day ---

#define DAY 86400
#define BORN 3 // threads a second, each lives for two
#define SAMPLES 6

struct day {
    struct process_weights weights;
    struct compact_bounds bounds;
    uint32_t number; // of the next thread
    struct alive {
        uint32_t number, thread;
        struct thread_weights weights;
    } alive[2 * BORN];
    uint64_t random, pushed, compactions;
};

static uint64_t next_random(struct day *day)
{
    return day->random = map_hash(day->random + 1);
}

static uint32_t some_stack(struct day *day)
{
    uint64_t offsets[8];
    for (size_t i = 0; i < ARRAY_LENGTH(offsets); i++)
        offsets[i] = next_random(day) % (i < 3 ? 2 : 40);
    return stack_of(offsets, ARRAY_LENGTH(offsets));
}

static void replace(struct day *day, struct alive *alive)
{
    char comm[16];
    if (alive->number) {
        weights_thread_end(&alive->weights, profile, &day->weights, 1000);
        profile_thread_end(profile, alive->thread);
    }
    alive->number = ++day->number;
    snprintf(comm, sizeof comm, "w%u", day->number % 3000);
    alive->thread = profile_thread_add(profile, 1, (pid_t)day->number, comm, "p");
}

static void pass_second(struct day *day, int64_t second)
{
    struct alive *born = &day->alive[second % 2 * BORN];
    for (size_t i = 0; i < BORN; i++)
        replace(day, &born[i]);
    for (size_t i = 0; i < SAMPLES; i++) {
        struct alive *alive = &day->alive[next_random(day) % ARRAY_LENGTH(day->alive)];
        if (!alive->number)
            continue;
        uint32_t value = profile_value_at(profile, some_stack(day), alive->thread, STATE_CPU);
        weights_sample(&alive->weights, profile, value, 1);
        day->pushed++;
    }
    slices_advance(profile_slices(profile), second * NS_PER_S);
    if (!compact_is_due(profile, &day->bounds))
        return;
    compact_numbers_fini(&numbers);
    compact(profile, &day->bounds, &numbers);
    weights_process_renumber(&day->weights, numbers.values);
    for (size_t i = 0; i < ARRAY_LENGTH(day->alive); i++) {
        weights_thread_renumber(&day->alive[i].weights, numbers.values);
        if (day->alive[i].number)
            day->alive[i].thread = numbers.threads[day->alive[i].thread];
    }
    day->compactions++;
}

START_TEST(a_day_of_samples_stays_within_bounds)
{
    struct day day = {.bounds = {.nodes = 20000, .ended = 1024, .values = 20000}};
    size_t most_nodes = 0, most_values = 0, most_threads = 0, most_entries = 0;
    profile_keep_slices(profile, 1000);
    for (int64_t second = 0; second < DAY; second++) {
        pass_second(&day, second);
        size_t nodes = profile_node_count(profile), values = profile_value_count(profile);
        size_t threads = profile_thread_count(profile);
        most_nodes = nodes > most_nodes ? nodes : most_nodes;
        most_values = values > most_values ? values : most_values;
        most_threads = threads > most_threads ? threads : most_threads;
    }
    most_entries = slices_entry_count(profile_slices(profile));
    weights_process_time(&day.weights, profile, 0, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(day.alive); i++)
        weights_thread_end(&day.alive[i].weights, profile, &day.weights, 0);
    uint64_t unattributed = weights_process_end(&day.weights);
    ck_assert_uint_gt(day.compactions, 10);
    ck_assert_uint_le(most_nodes, day.bounds.nodes + SAMPLES * 8);
    ck_assert_uint_le(profile_location_count(profile), most_nodes);
    ck_assert_uint_le(most_values, day.bounds.values + SAMPLES);
    ck_assert_uint_le(most_threads, 2 * day.bounds.ended + 4 * BORN);
    ck_assert_uint_le(most_entries, (SLICES_KEPT + 1) * SAMPLES * 3);
    ck_assert_uint_eq(sum().samples, day.pushed);
    ck_assert_uint_eq(sum().cpu_ns + unattributed, (day.number - 2 * BORN) * 1000ull);
}
END_TEST

// --- the map's removal, which numbers of threads that come and go need ---

START_TEST(a_map_forgets_keys)
{
    struct map map = {0};
    map_remove(&map, 1);
    for (uint32_t round = 0; round < 50; round++) {
        for (uint32_t i = 0; i < 1000; i++)
            map_put(&map, round * 1000 + i, i);
        for (uint32_t i = 0; i < 1000; i += 1 + round % 2)
            map_remove(&map, round * 1000 + i);
        for (uint32_t i = 0; i < 1000; i++)
            ck_assert_uint_eq(map_get(&map, round * 1000 + i, 7777),
                              round % 2 && i % 2 ? i : 7777);
    }
    ck_assert_uint_eq(map.count, 25 * 500);
    map_fini(&map);
}
END_TEST

Suite *suite_compact(void);

Suite *suite_compact(void)
{
    TCase *tests = tcase_create("compact");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, ended_threads_of_a_name_become_one);
    tcase_add_test(tests, light_stacks_lose_their_leaves);
    tcase_add_test(tests, recent_stacks_are_kept_before_old_ones);
    tcase_add_test(tests, many_values_make_stacks_shorter);
    tcase_add_test(tests, a_day_of_samples_stays_within_bounds);
    tcase_add_test(tests, a_map_forgets_keys);
    Suite *suite = suite_create("compact");
    suite_add_tcase(suite, tests);
    return suite;
}
