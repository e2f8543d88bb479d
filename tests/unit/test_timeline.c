// SPDX-License-Identifier: MIT
// A timeline: its order, its parts, and the profile that it adds up to.
#include "profile/timeline.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"
#include "profile/measure.h"

static struct timeline *timeline;
static uint32_t work, wait; // stacks

// Thread 0 works, waits until thread 1 wakes it, wants a CPU and works; 1 works all the time.
static void set_up(void)
{
    timeline = timeline_new();
    struct plain_profile *profile = timeline->profile;
    profile->time = 1000000;
    work = plain_child(profile, 0, fixture_location(profile, PLAIN_NONE, 1, "work"));
    wait = plain_child(profile, 0, fixture_location(profile, PLAIN_NONE, 2, "wait"));
    for (int64_t tid = 7; tid < 9; tid++)
        timeline_add_thread(timeline, plain_with_number(profile, 0, "tid", tid));
    const struct timeline_event events[] = {
        {160, 40, 0, STATE_RUNNING, work, 0, TIMELINE_NONE, 0},
        {100, 100, 1, STATE_RUNNING, work, 1, TIMELINE_NONE, 0},
        {110, 30, 0, STATE_BLOCKED, wait, TIMELINE_NONE, 1, 0},
        {140, 20, 0, STATE_QUEUED, wait, TIMELINE_NONE, TIMELINE_NONE, 0},
        {100, 0, 0, STATE_RUNNING, work, 0, TIMELINE_NONE, 0},
        {100, 10, 0, STATE_RUNNING, work, 0, TIMELINE_NONE, 0},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(events); i++)
        timeline_append(timeline, events[i]);
}

static void tear_down(void)
{
    timeline_free(timeline);
}

static void check_event(const struct timeline *of, size_t number, int64_t time, int64_t duration,
                        uint32_t thread)
{
    ck_assert_uint_lt(number, of->event_count);
    ck_assert_int_eq(of->events[number].time, time);
    ck_assert_int_eq(of->events[number].duration, duration);
    ck_assert_uint_eq(of->events[number].thread, thread);
}

START_TEST(events_come_into_order)
{
    timeline_sort(timeline);
    ck_assert_uint_eq(timeline->event_count, 6);
    check_event(timeline, 0, 100, 0, 0);
    check_event(timeline, 1, 100, 10, 0);
    check_event(timeline, 2, 100, 100, 1);
    check_event(timeline, 3, 110, 30, 0);
    check_event(timeline, 4, 140, 20, 0);
    check_event(timeline, 5, 160, 40, 0);
}
END_TEST

// Whatever the order was, events of one thread and time stay in theirs (cpu is their number).
START_TEST(any_order_comes_into_order)
{
    enum { COUNT = 3000 };
    for (int near = 0; near < 2; near++) {
        timeline->event_count = 0;
        srand(1);
        for (uint32_t i = 0; i < COUNT; i++)
            timeline_append(timeline, (struct timeline_event){
                .time = near ? (int)i / 4 + rand() % 50 : rand() % 500,
                .thread = rand() % 2,
                .cpu = i});
        timeline_sort(timeline);
        bool seen[COUNT] = {0};
        for (size_t i = 0; i < COUNT; i++) {
            const struct timeline_event *event = &timeline->events[i], *last = event - 1;
            ck_assert(!seen[event->cpu]);
            seen[event->cpu] = true;
            if (!i)
                continue;
            ck_assert_int_le(last->time, event->time);
            if (last->time != event->time)
                continue;
            ck_assert_uint_le(last->thread, event->thread);
            ck_assert(last->thread < event->thread || last->cpu < event->cpu);
        }
    }
}
END_TEST

START_TEST(what_lies_before_can_be_dropped)
{
    timeline_sort(timeline);
    timeline_drop_before(timeline, 120);
    ck_assert_uint_eq(timeline->event_count, 4);
    check_event(timeline, 0, 120, 80, 1);
    check_event(timeline, 1, 120, 20, 0);
    check_event(timeline, 2, 140, 20, 0);
    check_event(timeline, 3, 160, 40, 0);
}
END_TEST

START_TEST(a_slice_has_what_lies_in_it)
{
    timeline_sort(timeline);
    struct timeline *slice = timeline_slice(timeline, 120, 150);
    ck_assert_uint_eq(slice->thread_count, 2);
    ck_assert_uint_eq(slice->event_count, 3);
    check_event(slice, 0, 120, 30, 1);
    check_event(slice, 1, 120, 20, 0);
    check_event(slice, 2, 140, 10, 0);
    ck_assert_uint_eq(slice->events[1].woken_by, 1);
    ck_assert_int_eq(slice->profile->time, 1000000);
    timeline_free(slice);
    slice = timeline_slice(timeline, 100, 140);
    ck_assert_uint_eq(slice->event_count, 4);
    ck_assert_uint_eq(slice->events[3].woken_by, 1);
    timeline_free(slice);
    slice = timeline_slice(timeline, 0, 139);
    ck_assert_uint_eq(slice->event_count, 4);
    ck_assert_uint_eq(slice->events[3].woken_by, TIMELINE_NONE);
    timeline_free(slice);
    slice = timeline_slice(timeline, 200, 300);
    ck_assert_uint_eq(slice->event_count, 0);
    timeline_free(slice);
}
END_TEST

// Slices side by side have the time of the whole.
START_TEST(slices_add_up)
{
    uint64_t sum = 0;
    for (int64_t from = 90; from < 220; from += 13) {
        struct timeline *slice = timeline_slice(timeline, from, from + 13);
        struct plain_profile *profile = timeline_wall(slice);
        struct measure measure = measure_of(profile);
        sum += cost_ns(measure_all(&measure));
        plain_free(profile);
        timeline_free(slice);
    }
    ck_assert_uint_eq(sum, 200);
}
END_TEST

static void check_sample(const struct plain_profile *profile, uint32_t stack, int64_t tid,
                         const char *state, int64_t samples, int64_t ns)
{
    size_t found = 0;
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        struct plain_sample sample = profile->samples.list[i];
        const struct plain_label *label = plain_label(profile, sample.labels, "state");
        if (sample.stack != stack || plain_label(profile, sample.labels, "tid")->number != tid ||
            strcmp(plain_string(profile, label->text), state) != 0)
            continue;
        found++;
        ck_assert_int_eq(plain_values(profile, i)[0], samples);
        ck_assert_int_eq(plain_values(profile, i)[1], ns);
    }
    ck_assert_uint_eq(found, 1);
}

START_TEST(events_add_up_to_wall_time)
{
    struct plain_profile *profile = timeline_wall(timeline);
    struct measure measure = measure_of(profile);
    ck_assert(measure.wall && measure.counted);
    ck_assert_uint_eq(profile->samples.count, 4);
    check_sample(profile, work, 7, "running", 3, 50);
    check_sample(profile, wait, 7, "blocked", 1, 30);
    check_sample(profile, wait, 7, "runnable", 1, 20);
    check_sample(profile, work, 8, "running", 1, 100);
    ck_assert_int_eq(profile->time, 1000100);
    ck_assert_int_eq(profile->duration, 100);
    ck_assert_uint_eq(timeline->profile->type_count, 0);
    plain_free(profile);
}
END_TEST

START_TEST(an_empty_timeline_is_an_empty_profile)
{
    struct timeline *empty = timeline_new();
    timeline_sort(empty);
    struct plain_profile *profile = timeline_wall(empty);
    ck_assert_uint_eq(profile->samples.count, 0);
    ck_assert_uint_eq(profile->type_count, 2);
    ck_assert_int_eq(profile->duration, 0);
    plain_free(profile);
    timeline_free(empty);
}
END_TEST

Suite *suite_timeline(void);

Suite *suite_timeline(void)
{
    TCase *tests = tcase_create("timeline");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, events_come_into_order);
    tcase_add_test(tests, any_order_comes_into_order);
    tcase_add_test(tests, what_lies_before_can_be_dropped);
    tcase_add_test(tests, a_slice_has_what_lies_in_it);
    tcase_add_test(tests, slices_add_up);
    tcase_add_test(tests, events_add_up_to_wall_time);
    tcase_add_test(tests, an_empty_timeline_is_an_empty_profile);
    Suite *suite = suite_create("timeline");
    suite_add_tcase(suite, tests);
    return suite;
}
