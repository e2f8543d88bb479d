// SPDX-License-Identifier: MIT
#include "profile/store.h"

#include <check.h>

#include "base/mem.h"

#define MANY 1000000

static struct profile *profile;

static void set_up(void)
{
    profile = profile_new(MANY);
}

static void tear_down(void)
{
    profile_free(profile);
}

START_TEST(locations_are_kept_once)
{
    uint32_t first = profile_location(profile, 1, 0x1000);
    ck_assert_uint_eq(profile_location(profile, 1, 0x1000), first);
    ck_assert_uint_ne(profile_location(profile, 1, 0x1001), first);
    ck_assert_uint_ne(profile_location(profile, 2, 0x1000), first);
    ck_assert_uint_eq(profile_location_count(profile), 3);
    struct location back = profile_location_get(profile, first);
    ck_assert_uint_eq(back.mapping, 1);
    ck_assert_uint_eq(back.offset, 0x1000);
}
END_TEST

START_TEST(offsets_of_64_bits_stay_apart)
{
    const struct location all[] = {
        {0, 0}, {1, 0}, {0, 1ull << 48}, {65536, 0}, {0, UINT64_MAX}, {1, UINT64_MAX}, {65535, 1}};
    uint32_t ids[ARRAY_LENGTH(all)];
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        ids[i] = profile_location(profile, all[i].mapping, all[i].offset);
    ck_assert_uint_eq(profile_location_count(profile), ARRAY_LENGTH(all));
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
        ck_assert_uint_eq(profile_location(profile, all[i].mapping, all[i].offset), ids[i]);
        ck_assert_uint_eq(profile_location_get(profile, ids[i]).offset, all[i].offset);
    }
}
END_TEST

START_TEST(stacks_share_their_root_side)
{
    uint32_t root = profile_location(profile, 0, 1), middle = profile_location(profile, 0, 2);
    uint32_t one = profile_location(profile, 0, 3), two = profile_location(profile, 0, 4);
    uint32_t first = profile_stack(profile, (uint32_t[]){one, middle, root}, 3);
    uint32_t second = profile_stack(profile, (uint32_t[]){two, middle, root}, 3);
    ck_assert_uint_ne(first, second);
    ck_assert_uint_eq(profile_stack(profile, (uint32_t[]){one, middle, root}, 3), first);

    struct stack_node leaf = profile_node(profile, first);
    ck_assert_uint_eq(leaf.location, one);
    ck_assert_uint_eq(leaf.parent, profile_node(profile, second).parent);
    ck_assert_uint_eq(profile_stack(profile, (uint32_t[]){middle, root}, 2), leaf.parent);
    struct stack_node parent = profile_node(profile, leaf.parent);
    ck_assert_uint_eq(parent.location, middle);
    ck_assert_uint_eq(profile_node(profile, parent.parent).location, root);
    ck_assert_uint_eq(profile_node(profile, parent.parent).parent, 0);
    ck_assert_uint_eq(profile_folded(profile), 0);
}
END_TEST

START_TEST(recursion_gives_a_node_a_frame)
{
    uint32_t again = profile_location(profile, 0, 7);
    uint32_t locations[3000];
    for (size_t i = 0; i < ARRAY_LENGTH(locations); i++)
        locations[i] = again;
    uint32_t node = profile_stack(profile, locations, ARRAY_LENGTH(locations));
    size_t depth = 0;
    for (; node; node = profile_node(profile, node).parent)
        depth++;
    ck_assert_uint_eq(depth, ARRAY_LENGTH(locations));
}
END_TEST

START_TEST(the_bound_keeps_the_root_side)
{
    struct profile *small = profile_new(4); // the root and three more
    uint32_t a = profile_location(small, 0, 1), b = profile_location(small, 0, 2);
    uint32_t c = profile_location(small, 0, 3), d = profile_location(small, 0, 4);
    uint32_t whole = profile_stack(small, (uint32_t[]){b, a}, 2);
    uint32_t cut = profile_stack(small, (uint32_t[]){d, c, b, a}, 4);
    ck_assert_uint_eq(profile_folded(small), 1);
    ck_assert_uint_eq(profile_node(small, cut).location, c);
    ck_assert_uint_eq(profile_node(small, cut).parent, whole);

    ck_assert_uint_eq(profile_stack(small, (uint32_t[]){b, a}, 2), whole);
    ck_assert_uint_eq(profile_stack(small, (uint32_t[]){c, b, a}, 3), cut);
    ck_assert_uint_eq(profile_folded(small), 1);
    ck_assert_uint_eq(profile_stack(small, (uint32_t[]){d}, 1), 0);
    ck_assert_uint_eq(profile_folded(small), 2);
    profile_free(small);
}
END_TEST

START_TEST(the_bound_holds_for_locations_too)
{
    struct profile *small = profile_new(100);
    for (uint64_t offset = 0; offset < 10000; offset++) {
        uint32_t location = profile_location(small, 0, offset);
        profile_stack(small, &location, 1);
    }
    ck_assert_uint_eq(profile_location_count(small), 99);
    ck_assert_uint_eq(profile_folded(small), 10000 - 99);
    profile_free(small);
}
END_TEST

START_TEST(thread_names_are_copied_and_change)
{
    char name[] = "worker";
    uint32_t first = profile_thread_add(profile, 10, 11, name, "server");
    uint32_t second = profile_thread_add(profile, 10, 12, name, "server");
    name[0] = 'W';
    profile_thread_rename(profile, second, "renamed \xff");
    ck_assert_uint_eq(profile_thread_count(profile), 2);
    const struct profile_thread *thread = profile_thread_get(profile, first);
    ck_assert_int_eq(thread->pid, 10);
    ck_assert_int_eq(thread->tid, 11);
    ck_assert_str_eq(profile_string(profile, thread->comm), "worker");
    ck_assert_str_eq(profile_string(profile, thread->process_comm), "server");
    thread = profile_thread_get(profile, second);
    ck_assert_str_eq(profile_string(profile, thread->comm), "renamed \xff");
}
END_TEST

START_TEST(values_keep_their_numbers_and_add_up)
{
    uint32_t thread = profile_thread_add(profile, 1, 1, "t", "p");
    uint32_t other = profile_thread_add(profile, 1, 2, "u", "p");
    uint32_t location = profile_location(profile, 0, 1);
    uint32_t stack = profile_stack(profile, &location, 1);
    uint32_t value = profile_value_at(profile, stack, thread, STATE_CPU);
    profile_add(profile, value, 2, 20);
    for (uint64_t offset = 2; offset < 1000; offset++) {
        location = profile_location(profile, 0, offset);
        profile_value_at(profile, profile_stack(profile, &location, 1), thread, STATE_CPU);
    }
    ck_assert_uint_eq(profile_value_at(profile, stack, thread, STATE_CPU), value);
    ck_assert_uint_ne(profile_value_at(profile, stack, other, STATE_CPU), value);
    profile_add(profile, value, 1, UINT32_MAX);
    const struct profile_value *sum = profile_value_get(profile, value);
    ck_assert_uint_eq(sum->samples, 3);
    ck_assert_uint_eq(sum->ns, 20 + (uint64_t)UINT32_MAX);
    ck_assert_uint_eq(sum->stack, stack);
    ck_assert_uint_eq(sum->thread, thread);
    ck_assert_uint_eq(profile_value_count(profile), 1000);
}
END_TEST

Suite *suite_store(void);

Suite *suite_store(void)
{
    TCase *tests = tcase_create("store");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, locations_are_kept_once);
    tcase_add_test(tests, offsets_of_64_bits_stay_apart);
    tcase_add_test(tests, stacks_share_their_root_side);
    tcase_add_test(tests, recursion_gives_a_node_a_frame);
    tcase_add_test(tests, the_bound_keeps_the_root_side);
    tcase_add_test(tests, the_bound_holds_for_locations_too);
    tcase_add_test(tests, thread_names_are_copied_and_change);
    tcase_add_test(tests, values_keep_their_numbers_and_add_up);
    Suite *suite = suite_create("store");
    suite_add_tcase(suite, tests);
    return suite;
}
