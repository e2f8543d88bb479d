// SPDX-License-Identifier: MIT
// The profile as plain data.
#include "profile/plain.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"
#include "profile/measure.h"
#include "profile/plain_frame.h"
#include "profile/totals.h"

static struct plain_profile *profile;

static void set_up(void)
{
    profile = fixture_plain();
}

static void tear_down(void)
{
    plain_free(profile);
}

START_TEST(a_sample_is_there_once)
{
    uint32_t a = fixture_location(profile, PLAIN_NONE, 1, "a");
    uint32_t b = fixture_location(profile, PLAIN_NONE, 2, "b");
    uint32_t stack = plain_stack(profile, (const uint32_t[]){b, a}, 2);
    ck_assert_uint_eq(stack, plain_child(profile, plain_child(profile, 0, a), b));
    fixture_sample(profile, stack, 0, 1, 10);
    fixture_sample(profile, stack, 0, 2, 20);
    fixture_sample(profile, plain_child(profile, 0, a), 0, 4, 40);
    ck_assert_uint_eq(profile->samples.count, 2);
    ck_assert_uint_eq(profile->stacks.count, 3);
    ck_assert_int_eq(plain_values(profile, 0)[0], 3);
    ck_assert_int_eq(plain_values(profile, 0)[1], 30);
    ck_assert_int_eq(plain_values(profile, 1)[1], 40);
}
END_TEST

// A child is found whether it was added right behind its parent or later, in a copy too.
START_TEST(a_stack_is_there_once)
{
    uint32_t a = fixture_location(profile, PLAIN_NONE, 1, "a");
    uint32_t b = fixture_location(profile, PLAIN_NONE, 2, "b");
    uint32_t c = fixture_location(profile, PLAIN_NONE, 3, "c");
    const uint32_t stacks[][3] = {{b, a}, {c, a}, {c, b, a}, {a, c, a}, {a, a}, {b, c}};
    const size_t counts[] = {2, 2, 3, 3, 2, 2};
    uint32_t nodes[ARRAY_LENGTH(stacks)];
    for (size_t i = 0; i < ARRAY_LENGTH(stacks); i++)
        nodes[i] = plain_stack(profile, stacks[i], counts[i]);
    struct plain_profile *copy = plain_copy(profile);
    ck_assert_uint_eq(profile->stacks.count, 9);
    for (size_t i = 0; i < ARRAY_LENGTH(stacks); i++) {
        ck_assert_uint_eq(plain_stack(profile, stacks[i], counts[i]), nodes[i]);
        ck_assert_uint_eq(plain_stack(copy, stacks[i], counts[i]), nodes[i]);
    }
    ck_assert_uint_eq(profile->stacks.count, 9);
    ck_assert_uint_eq(copy->stacks.count, 9);
    plain_free(copy);
}
END_TEST

START_TEST(sums_stay_within_their_bounds)
{
    uint32_t stack = plain_child(profile, 0, fixture_location(profile, PLAIN_NONE, 1, "a"));
    fixture_sample(profile, stack, 0, INT64_MAX, INT64_MIN);
    fixture_sample(profile, stack, 0, INT64_MAX, INT64_MIN);
    ck_assert_int_eq(plain_values(profile, 0)[0], INT64_MAX);
    ck_assert_int_eq(plain_values(profile, 0)[1], INT64_MIN);
}
END_TEST

static struct plain_label text_label(struct plain_profile *one, const char *key, const char *text)
{
    return (struct plain_label){.key = plain_text(one, key), .text = plain_text(one, text)};
}

static struct plain_label number_label(struct plain_profile *one, const char *key, int64_t number)
{
    return (struct plain_label){.key = plain_text(one, key), .number = number};
}

START_TEST(label_sets_are_told_apart)
{
    uint32_t one = plain_with_label(profile, 0, text_label(profile, "thread", "x"));
    uint32_t two = plain_with_label(profile, one, number_label(profile, "tid", 1ll << 32));
    uint32_t other = plain_with_label(profile, one, number_label(profile, "tid", 1));
    ck_assert_uint_eq(one, plain_with_label(profile, 0, text_label(profile, "thread", "x")));
    ck_assert_uint_ne(two, other);
    ck_assert_uint_eq(two,
                      plain_with_label(profile, one, number_label(profile, "tid", 1ll << 32)));
    ck_assert_int_eq(plain_label(profile, two, "tid")->number, 1ll << 32);
    ck_assert_int_eq(plain_label(profile, other, "tid")->number, 1);
    ck_assert_str_eq(plain_string(profile, plain_label(profile, two, "thread")->text), "x");
    ck_assert_ptr_null(plain_label(profile, two, "pid"));
    ck_assert_ptr_null(plain_label(profile, 0, "tid"));
    ck_assert_uint_eq(profile->labels.count, 3);
}
END_TEST

START_TEST(a_copy_is_of_its_own)
{
    uint32_t mapping = fixture_mapping(profile, "/bin/a", "ab", 0x10000);
    uint32_t stack = plain_child(profile, 0, fixture_location(profile, mapping, 0x10010, "f"));
    uint32_t set = plain_with_label(profile, 0, number_label(profile, "tid", 5));
    fixture_sample(profile, stack, set, 1, 10);
    plain_add_comment(profile, "hello");
    struct plain_profile *copy = plain_copy(profile);
    fixture_sample(profile, stack, set, 1, 10);
    fixture_sample(copy, stack, set, 2, 20);
    uint32_t g = fixture_location(copy, mapping, 0x10020, "g");
    fixture_sample(copy, plain_child(copy, stack, g), 0, 1, 1);
    ck_assert_uint_eq(profile->samples.count, 1);
    ck_assert_uint_eq(copy->samples.count, 2);
    ck_assert_int_eq(plain_values(profile, 0)[0], 2);
    ck_assert_int_eq(plain_values(copy, 0)[0], 3);
    ck_assert_str_eq(plain_string(copy, copy->comments[0]), "hello");
    ck_assert_uint_eq(plain_with_label(copy, 0, number_label(copy, "tid", 5)), set);
    plain_free(copy);
}
END_TEST

START_TEST(frames_without_names_have_one_all_the_same)
{
    uint32_t mapping = fixture_mapping(profile, "/lib/libc.so.6", "", 0x10000);
    uint32_t bare = plain_add_location(profile, mapping, 0x10010, NULL, 0);
    uint32_t lost = plain_add_location(profile, PLAIN_NONE, 0x77, NULL, 0);
    uint32_t placed = fixture_location(profile, mapping, 0x10020, "libc.so.6+0x65a0");
    uint32_t named = fixture_location(profile, mapping, 0x10030, "libc.so.6+0x65g");
    struct plain_frame frame = plain_frame(profile, bare, 0);
    ck_assert_uint_eq(plain_frame_count(profile, bare), 1);
    ck_assert_str_eq(frame.name, "[libc.so.6]");
    ck_assert_str_eq(frame.module, "libc.so.6");
    ck_assert_uint_eq(frame.offset, 0x2010);
    frame = plain_frame(profile, lost, 0);
    ck_assert_str_eq(frame.name, "[unknown]");
    ck_assert_str_eq(frame.module, "");
    ck_assert_uint_eq(frame.offset, 0x77);
    ck_assert(plain_frame(profile, placed, 0).unnamed);
    ck_assert(!plain_frame(profile, named, 0).unnamed);
}
END_TEST

START_TEST(inlined_functions_count_like_others)
{
    uint32_t mapping = fixture_mapping(profile, "/bin/a", "", 0x10000);
    struct plain_line lines[2] = {0};
    lines[0].function =
        plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "in")});
    lines[1].function =
        plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "out")});
    uint32_t location = plain_add_location(profile, mapping, 0x10010, lines, 2);
    uint32_t stack = plain_stack(profile, (const uint32_t[]){location, location}, 2);
    fixture_sample(profile, stack, 0, 1, 10);
    struct measure measure = measure_of(profile);
    struct totals totals;
    totals_init(&totals, &measure, SIZE_MAX);
    ck_assert_uint_eq(totals.count, 2);
    ck_assert_str_eq(totals.rows[0].function, "in");
    ck_assert(totals.rows[0].inlined && !totals.rows[1].inlined);
    ck_assert_uint_eq(totals.rows[0].self.cpu_ns, 10);
    ck_assert_uint_eq(totals.rows[0].total.cpu_ns, 10);
    ck_assert_uint_eq(totals.rows[1].self.cpu_ns, 0);
    ck_assert_uint_eq(totals.rows[1].total.samples, 1);
    totals_fini(&totals);
}
END_TEST

START_TEST(what_is_measured_follows_the_types)
{
    static const struct {
        const char *types[4][2];
        const char *wanted; // default type
        size_t count, main;
        bool counted, wall, time, ours;
    } cases[] = {
        {{{"samples", "count"}, {"cpu", "nanoseconds"}}, "cpu", 0, 1, true, false, true, true},
        {{{"samples", "count"}, {"wall", "nanoseconds"}}, "", 0, 1, true, true, true, true},
        {{{"contentions", "count"}, {"delay", "nanoseconds"}}, "", 0, 1, true, false, true, false},
        {{{"goroutine", "count"}}, "", 0, 0, true, false, false, false},
        {{{"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"},
          {"inuse_space", "bytes"}}, "", 2, 3, true, false, false, false},
        {{{"alloc_objects", "count"}, {"alloc_space", "bytes"}, {"inuse_objects", "count"},
          {"inuse_space", "bytes"}}, "alloc_space", 0, 1, true, false, false, false},
        {{{"cycles", ""}}, "nothing", 0, 0, false, false, false, false},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct plain_profile *one = plain_new();
        for (size_t k = 0; k < 4 && cases[i].types[k][0]; k++)
            plain_add_type(one, cases[i].types[k][0], cases[i].types[k][1]);
        one->default_type = plain_text(one, cases[i].wanted);
        struct measure measure = measure_of(one);
        ck_assert_uint_eq(measure.count, cases[i].count);
        ck_assert_uint_eq(measure.main, cases[i].main);
        ck_assert_int_eq(measure.counted, cases[i].counted);
        ck_assert_int_eq(measure.wall, cases[i].wall);
        ck_assert_int_eq(measure.time, cases[i].time);
        ck_assert_int_eq(measure.ours, cases[i].ours);
        plain_free(one);
    }
}
END_TEST

Suite *suite_plain(void);

Suite *suite_plain(void)
{
    TCase *tests = tcase_create("plain");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_sample_is_there_once);
    tcase_add_test(tests, a_stack_is_there_once);
    tcase_add_test(tests, sums_stay_within_their_bounds);
    tcase_add_test(tests, label_sets_are_told_apart);
    tcase_add_test(tests, a_copy_is_of_its_own);
    tcase_add_test(tests, frames_without_names_have_one_all_the_same);
    tcase_add_test(tests, inlined_functions_count_like_others);
    tcase_add_test(tests, what_is_measured_follows_the_types);
    Suite *suite = suite_create("plain");
    suite_add_tcase(suite, tests);
    return suite;
}
