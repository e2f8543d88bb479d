// SPDX-License-Identifier: MIT
#include "sample/counters.h"

#include <check.h>
#include <string.h>

#include "sample/control.h"
#include "sample/sampler.h"

START_TEST(each_has_a_key_of_its_own)
{
    for (enum counter i = 0; i < COUNTER_COUNT; i++) {
        ck_assert_uint_gt(strlen(counters[i].text), 0);
        ck_assert_int_eq(counters[i].unit == UNIT_NS, strstr(counters[i].key, "_ns") != NULL);
        for (enum counter k = 0; k < i; k++)
            ck_assert_str_ne(counters[i].key, counters[k].key);
    }
}
END_TEST

START_TEST(sums_begin_again_and_states_stay)
{
    uint64_t counts[COUNTER_COUNT], before[COUNTER_COUNT];
    for (enum counter i = 0; i < COUNTER_COUNT; i++) {
        counts[i] = 10;
        before[i] = 7;
    }
    counters_subtract(counts, before);
    ck_assert_uint_eq(counts[COUNTER_STOPS], 3);
    ck_assert_uint_eq(counts[COUNTER_CPU_NS], 3);
    ck_assert_uint_eq(counts[COUNTER_REALTIME], 10);
    ck_assert_uint_eq(counts[COUNTER_HELD_MAX], 10);
}
END_TEST

START_TEST(all_that_was_counted_is_read)
{
    uint64_t counts[COUNTER_COUNT];
    struct control *control = control_new(1 << 16, NULL);
    ck_assert_ptr_nonnull(control);
    for (enum counter i = 0; i < COUNTER_COUNT; i++)
        control_count(control, i, i + 1);
    atomic_store(&control->lives[0].ticks, 100);
    atomic_store(&control->lives[0].late, 20);
    histogram_add(&control->held, 5);
    counters_read(counts, control);
    ck_assert_uint_eq(counts[COUNTER_REFUSED], COUNTER_REFUSED + 1);
    ck_assert_uint_eq(counts[COUNTER_LIMIT], COUNTER_LIMIT + 1);
    ck_assert_uint_eq(counts[COUNTER_ROUNDS], 100);
    ck_assert_uint_eq(counts[COUNTER_LATE], 20);
    ck_assert_uint_eq(counts[COUNTER_HELD_TOTAL], 5);
    control_free(control);
}
END_TEST

Suite *suite_counters(void);

Suite *suite_counters(void)
{
    TCase *tests = tcase_create("counters");
    tcase_add_test(tests, each_has_a_key_of_its_own);
    tcase_add_test(tests, sums_begin_again_and_states_stay);
    tcase_add_test(tests, all_that_was_counted_is_read);
    Suite *suite = suite_create("counters");
    suite_add_tcase(suite, tests);
    return suite;
}
