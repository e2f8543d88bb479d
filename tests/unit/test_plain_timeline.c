// SPDX-License-Identifier: MIT
#include "profile/plain_timeline.h"

#include <check.h>

#include "base/mem.h"

// main -> a, main -> b, main -> a -> c, in two threads.
static struct plain_profile *two_threads(void)
{
    struct plain_profile *profile = plain_new();
    uint32_t at[4], stacks[3];
    plain_add_type(profile, "cpu", "nanoseconds");
    for (uint64_t i = 0; i < ARRAY_LENGTH(at); i++)
        at[i] = plain_add_location(profile, PLAIN_NONE, 0x10 + i, NULL, 0);
    stacks[0] = plain_stack(profile, (uint32_t[]){at[1], at[0]}, 2);
    stacks[1] = plain_stack(profile, (uint32_t[]){at[2], at[0]}, 2);
    stacks[2] = plain_stack(profile, (uint32_t[]){at[3], at[1], at[0]}, 3);
    for (int64_t i = 0; i < 6; i++) {
        uint32_t set = plain_with_number(profile, 0, "tid", 1 + i % 2);
        int64_t value = (int64_t[]){5, 7, 11, 13, 17, -3}[i];
        plain_add(profile, plain_sample(profile, stacks[i / 2], set), &value);
    }
    return profile;
}

START_TEST(samples_of_a_thread_lie_one_behind_the_other)
{
    struct plain_profile *profile = two_threads();
    struct measure measure = measure_of(profile);
    struct timeline *timeline = plain_timeline(profile, &measure);
    int64_t ends[2] = {0};
    ck_assert(timeline->made_up);
    ck_assert_uint_eq(timeline->thread_count, 2);
    ck_assert_uint_eq(timeline->event_count, 5); // nothing below 0 can be shown
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        ck_assert_int_eq(event->time, ends[event->thread]);
        ends[event->thread] += event->duration;
    }
    ck_assert_int_eq(ends[0], 5 + 11 + 17);
    ck_assert_int_eq(ends[1], 7 + 13);
    timeline_free(timeline);
    plain_free(profile);
}
END_TEST

START_TEST(stacks_with_the_same_callers_are_together)
{
    struct plain_profile *profile = two_threads();
    struct plain_order order;
    static const uint32_t expected[] = {0, 4, 2, 1, 5, 3}; // a, a -> c, b of each
    plain_order_init(&order, profile);
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
        ck_assert_uint_eq(order.samples[i], expected[i]);
    plain_order_fini(&order);
    plain_free(profile);
}
END_TEST

// A period of another unit, or of far too many records, would make files without an end.
START_TEST(records_are_bounded)
{
    static const struct {
        const char *unit;
        int64_t period, value, least, most;
    } rows[] = {{"nanoseconds", 10000000, 3000000000, 10000000, 10000000},
                {"count", 1, 3000000000000, 100000000, 400000000},
                {"nanoseconds", 1, INT64_MAX / 2, INT64_MAX / 40000, INT64_MAX / 10000}};
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct plain_profile *profile = plain_new();
        plain_add_type(profile, "delay", "nanoseconds");
        profile->period = rows[i].period;
        profile->period_type.unit = plain_text(profile, rows[i].unit);
        plain_add(profile, plain_sample(profile, 0, 0), &rows[i].value);
        struct measure measure = measure_of(profile);
        struct timeline *timeline = plain_timeline(profile, &measure);
        ck_assert_int_ge(timeline->profile->period, rows[i].least);
        ck_assert_int_le(timeline->profile->period, rows[i].most);
        timeline_free(timeline);
        plain_free(profile);
    }
}
END_TEST

START_TEST(an_empty_profile_is_an_empty_timeline)
{
    struct plain_profile *profile = plain_new();
    plain_add_type(profile, "space", "bytes");
    struct measure measure = measure_of(profile);
    struct timeline *timeline = plain_timeline(profile, &measure);
    ck_assert_uint_eq(timeline->event_count, 0);
    ck_assert_int_gt(timeline->profile->period, 0);
    timeline_free(timeline);
    plain_free(profile);
}
END_TEST

Suite *suite_plain_timeline(void)
{
    Suite *suite = suite_create("plain_timeline");
    TCase *tests = tcase_create("plain_timeline");
    tcase_add_test(tests, samples_of_a_thread_lie_one_behind_the_other);
    tcase_add_test(tests, stacks_with_the_same_callers_are_together);
    tcase_add_test(tests, records_are_bounded);
    tcase_add_test(tests, an_empty_profile_is_an_empty_timeline);
    suite_add_tcase(suite, tests);
    return suite;
}
