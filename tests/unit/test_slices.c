// SPDX-License-Identifier: MIT
#include "profile/slices.h"

#include <check.h>

#include "base/clock.h"
#include "base/mem.h"

#define SECOND ((int64_t)NS_PER_S)

static struct slices *slices;

static void set_up(void)
{
    slices = slices_new(4);
    slices_advance(slices, 0);
}

static void tear_down(void)
{
    slices_free(slices);
}

static void add(uint32_t value, uint64_t samples, uint64_t cpu_ns)
{
    ck_assert(slices_add(slices, value, samples, cpu_ns));
}

static uint64_t samples_in(size_t back)
{
    struct slice slice = slices_get(slices, back);
    uint64_t samples = 0;
    for (size_t i = 0; i < slice.count; i++)
        samples += slice.entries[i].samples;
    return samples;
}

START_TEST(a_slice_is_there_when_its_second_is_over)
{
    add(1, 2, 0);
    slices_advance(slices, SECOND - 1);
    ck_assert_uint_eq(slices_count(slices), 0);
    slices_advance(slices, SECOND);
    ck_assert_uint_eq(slices_count(slices), 1);
    ck_assert_uint_eq(samples_in(0), 2);
    add(1, 3, 0);
    slices_advance(slices, 3 * SECOND);
    ck_assert_uint_eq(slices_count(slices), 3);
    ck_assert_uint_eq(samples_in(0), 0); // nothing in the last second
    ck_assert_uint_eq(samples_in(1), 3);
    ck_assert_uint_eq(samples_in(2), 2);
}
END_TEST

START_TEST(what_belongs_together_is_one_entry)
{
    add(1, 1, 0);
    add(1, 0, 500);
    add(2, 1, 0);
    slices_advance(slices, SECOND);
    struct slice slice = slices_get(slices, 0);
    ck_assert_uint_eq(slice.count, 2);
    ck_assert_uint_eq(slice.entries[0].samples, 1);
    ck_assert_uint_eq(slice.entries[0].ns, 500);
    add(1, 1, 0);
    slices_advance(slices, 2 * SECOND);
    ck_assert_uint_eq(slices_get(slices, 0).count, 1);
}
END_TEST

START_TEST(a_full_slice_has_room_for_a_root)
{
    for (uint32_t value = 1; value <= 10; value++)
        if (!slices_add(slices, value, 1, 10))
            slices_add_root(slices, 77, 1, 10);
    slices_advance(slices, SECOND);
    struct slice slice = slices_get(slices, 0);
    ck_assert_uint_eq(slice.count, 5);
    ck_assert_uint_eq(slice.entries[4].value, 77);
    ck_assert_uint_eq(slice.entries[4].samples, 6);
    ck_assert_uint_eq(slice.entries[4].ns, 60);
    ck_assert_uint_eq(slices_folded(slices), 6);
    ck_assert_uint_eq(samples_in(0), 10);
}
END_TEST

START_TEST(the_ring_forgets)
{
    for (int64_t second = 1; second <= 1000; second++) {
        add((uint32_t)second, (uint64_t)second, 0);
        slices_advance(slices, second * SECOND);
    }
    ck_assert_uint_eq(slices_count(slices), SLICES_KEPT);
    ck_assert_uint_eq(samples_in(0), 1000);
    ck_assert_uint_eq(samples_in(SLICES_KEPT - 1), 1000 - SLICES_KEPT + 1);
    ck_assert_uint_le(slices_entry_count(slices), SLICES_KEPT + 1);
    slices_advance(slices, 100000 * SECOND); // a long sleep
    ck_assert_uint_eq(slices_entry_count(slices), 0);
    ck_assert_uint_eq(slices_count(slices), SLICES_KEPT);
}
END_TEST

START_TEST(a_copy_stays_as_it_was)
{
    add(1, 1, 0);
    slices_advance(slices, SECOND);
    struct slices *copy = slices_copy(slices);
    add(2, 1, 0);
    slices_advance(slices, 2 * SECOND);
    ck_assert_uint_eq(slices_count(copy), 1);
    ck_assert_uint_eq(slices_get(copy, 0).entries[0].value, 1);
    slices_free(copy);
}
END_TEST

START_TEST(clear_begins_anew)
{
    add(1, 1, 0);
    slices_advance(slices, 5 * SECOND);
    slices_clear(slices);
    ck_assert_uint_eq(slices_count(slices), 0);
    slices_advance(slices, 100 * SECOND);
    ck_assert_uint_eq(slices_count(slices), 0);
    add(1, 1, 0);
    slices_advance(slices, 101 * SECOND);
    ck_assert_uint_eq(samples_in(0), 1);
}
END_TEST

START_TEST(new_numbers)
{
    static const uint32_t values[] = {0, 5, 5, 7};
    add(1, 1, 0);
    slices_advance(slices, SECOND);
    add(2, 1, 0);
    slices_renumber(slices, values);
    add(5, 1, 0); // finds the one that was 2
    slices_advance(slices, 2 * SECOND);
    ck_assert_uint_eq(slices_get(slices, 0).count, 1);
    ck_assert_uint_eq(slices_get(slices, 0).entries[0].samples, 2);
    ck_assert_uint_eq(slices_get(slices, 1).entries[0].value, 5);
}
END_TEST

Suite *suite_slices(void);

Suite *suite_slices(void)
{
    TCase *tests = tcase_create("slices");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_slice_is_there_when_its_second_is_over);
    tcase_add_test(tests, what_belongs_together_is_one_entry);
    tcase_add_test(tests, a_full_slice_has_room_for_a_root);
    tcase_add_test(tests, the_ring_forgets);
    tcase_add_test(tests, a_copy_stays_as_it_was);
    tcase_add_test(tests, clear_begins_anew);
    tcase_add_test(tests, new_numbers);
    Suite *suite = suite_create("slices");
    suite_add_tcase(suite, tests);
    return suite;
}
