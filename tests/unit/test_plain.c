// SPDX-License-Identifier: MIT
// The profile as plain data.
#include "profile/plain.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "profile/measure.h"
#include "profile/plain_frame.h"
#include "profile/totals.h"

static struct plain_profile *profile;

static struct plain_profile *new_profile(void)
{
    struct plain_profile *one = plain_new();
    plain_add_type(one, "samples", "count");
    plain_add_type(one, "cpu", "nanoseconds");
    one->period_type = one->types[1];
    return one;
}

static void set_up(void)
{
    profile = new_profile();
}

static void tear_down(void)
{
    plain_free(profile);
}

static uint32_t mapping_at(struct plain_profile *one, const char *file, const char *build_id,
                           uint64_t start)
{
    return plain_add_mapping(one, (struct plain_mapping){
                                      .start = start,
                                      .limit = start + 0x1000,
                                      .offset = 0x2000,
                                      .file = plain_text(one, file),
                                      .build_id = plain_text(one, build_id),
                                      .has_functions = true,
                                  });
}

static uint32_t location_at(struct plain_profile *one, uint32_t mapping, uint64_t address,
                            const char *name)
{
    struct plain_line line = {
        .function = plain_add_function(one, (struct plain_function){.name = plain_text(one, name)}),
        .line = 7,
    };
    return plain_add_location(one, mapping, address, &line, 1);
}

static void add(struct plain_profile *one, uint32_t stack, uint32_t set, int64_t samples,
                int64_t ns)
{
    plain_add(one, plain_sample(one, stack, set), (const int64_t[]){samples, ns});
}

START_TEST(a_sample_is_there_once)
{
    uint32_t a = location_at(profile, PLAIN_NONE, 1, "a"), b = location_at(profile, PLAIN_NONE, 2,
                                                                            "b");
    uint32_t stack = plain_stack(profile, (const uint32_t[]){b, a}, 2);
    ck_assert_uint_eq(stack, plain_child(profile, plain_child(profile, 0, a), b));
    add(profile, stack, 0, 1, 10);
    add(profile, stack, 0, 2, 20);
    add(profile, plain_child(profile, 0, a), 0, 4, 40);
    ck_assert_uint_eq(profile->samples.count, 2);
    ck_assert_uint_eq(profile->stacks.count, 3);
    ck_assert_int_eq(plain_values(profile, 0)[0], 3);
    ck_assert_int_eq(plain_values(profile, 0)[1], 30);
    ck_assert_int_eq(plain_values(profile, 1)[1], 40);
}
END_TEST

START_TEST(sums_stay_within_their_bounds)
{
    uint32_t stack = plain_child(profile, 0, location_at(profile, PLAIN_NONE, 1, "a"));
    add(profile, stack, 0, INT64_MAX, INT64_MIN);
    add(profile, stack, 0, INT64_MAX, INT64_MIN);
    ck_assert_int_eq(plain_values(profile, 0)[0], INT64_MAX);
    ck_assert_int_eq(plain_values(profile, 0)[1], INT64_MIN);
    plain_scale(profile, 0, 1e300);
    plain_scale(profile, 1, 2);
    ck_assert_int_eq(plain_values(profile, 0)[0], INT64_MAX);
    ck_assert_int_eq(plain_values(profile, 0)[1], INT64_MIN);
    plain_scale(profile, 0, 0);
    plain_scale(profile, 1, -0.5);
    ck_assert_int_eq(plain_values(profile, 0)[0], 0);
    ck_assert_int_eq(plain_values(profile, 0)[1], 1ll << 62);
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
    uint32_t mapping = mapping_at(profile, "/bin/a", "ab", 0x10000);
    uint32_t stack = plain_child(profile, 0, location_at(profile, mapping, 0x10010, "f"));
    uint32_t set = plain_with_label(profile, 0, number_label(profile, "tid", 5));
    add(profile, stack, set, 1, 10);
    plain_add_comment(profile, "hello");
    struct plain_profile *copy = plain_copy(profile);
    add(profile, stack, set, 1, 10);
    add(copy, stack, set, 2, 20);
    add(copy, plain_child(copy, stack, location_at(copy, mapping, 0x10020, "g")), 0, 1, 1);
    ck_assert_uint_eq(profile->samples.count, 1);
    ck_assert_uint_eq(copy->samples.count, 2);
    ck_assert_int_eq(plain_values(profile, 0)[0], 2);
    ck_assert_int_eq(plain_values(copy, 0)[0], 3);
    ck_assert_str_eq(plain_string(copy, copy->comments[0]), "hello");
    ck_assert_uint_eq(plain_with_label(copy, 0, number_label(copy, "tid", 5)), set);
    plain_free(copy);
}
END_TEST

// The same file lies elsewhere in the other process, and its functions have other numbers.
START_TEST(profiles_of_two_processes_merge)
{
    struct plain_profile *other = new_profile();
    uint32_t mine = mapping_at(profile, "/bin/a", "ab", 0x10000);
    add(profile, plain_child(profile, 0, location_at(profile, mine, 0x10010, "f")), 0, 1, 10);
    mapping_at(other, "/lib/unused", "", 0x90000);
    uint32_t library = mapping_at(other, "/lib/b", "", 0x70000);
    uint32_t theirs = mapping_at(other, "/elsewhere/a", "ab", 0x50000);
    uint32_t g = location_at(other, library, 0x70020, "g");
    uint32_t f = location_at(other, theirs, 0x50010, "f");
    uint32_t set = plain_with_label(other, 0, number_label(other, "tid", 5));
    add(other, plain_child(other, 0, f), 0, 2, 20);
    add(other, plain_stack(other, (const uint32_t[]){g, f}, 2), set, 4, 40);
    add(other, plain_child(other, 0, g), set, 0, 0);
    profile->time = 100;
    other->time = 50;
    profile->duration = other->duration = 7;
    ck_assert_int_eq(plain_merge(profile, other, NULL), RC_OK);
    plain_free(other);
    ck_assert_uint_eq(profile->samples.count, 2);
    ck_assert_int_eq(plain_values(profile, 0)[1], 30);
    ck_assert_int_eq(plain_values(profile, 1)[1], 40);
    ck_assert_uint_eq(profile->code.mapping_count, 2);
    ck_assert_uint_eq(profile->code.function_count, 2);
    ck_assert_uint_eq(profile->code.location_count, 2);
    ck_assert_uint_eq(profile->code.locations[0].address, 0x10010);
    ck_assert_int_eq(plain_label(profile, profile->samples.list[1].labels, "tid")->number, 5);
    ck_assert_int_eq(profile->time, 50);
    ck_assert_int_eq(profile->duration, 14);
}
END_TEST

START_TEST(profiles_of_other_types_do_not_merge)
{
    struct err err;
    struct plain_profile *other = plain_new();
    plain_add_type(other, "samples", "count");
    plain_add_type(other, "wall", "nanoseconds");
    ck_assert_int_eq(plain_merge(profile, other, &err), RC_USAGE);
    ck_assert_str_eq(err.text, "the profiles are of different types");
    plain_free(other);
}
END_TEST

START_TEST(frames_without_names_have_one_all_the_same)
{
    uint32_t mapping = mapping_at(profile, "/lib/libc.so.6", "", 0x10000);
    uint32_t bare = plain_add_location(profile, mapping, 0x10010, NULL, 0);
    uint32_t lost = plain_add_location(profile, PLAIN_NONE, 0x77, NULL, 0);
    uint32_t placed = location_at(profile, mapping, 0x10020, "libc.so.6+0x65a0");
    uint32_t named = location_at(profile, mapping, 0x10030, "libc.so.6+0x65g");
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
    uint32_t mapping = mapping_at(profile, "/bin/a", "", 0x10000);
    struct plain_line lines[2] = {0};
    lines[0].function =
        plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "in")});
    lines[1].function =
        plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "out")});
    uint32_t location = plain_add_location(profile, mapping, 0x10010, lines, 2);
    add(profile, plain_stack(profile, (const uint32_t[]){location, location}, 2), 0, 1, 10);
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
    tcase_add_test(tests, sums_stay_within_their_bounds);
    tcase_add_test(tests, label_sets_are_told_apart);
    tcase_add_test(tests, a_copy_is_of_its_own);
    tcase_add_test(tests, profiles_of_two_processes_merge);
    tcase_add_test(tests, profiles_of_other_types_do_not_merge);
    tcase_add_test(tests, frames_without_names_have_one_all_the_same);
    tcase_add_test(tests, inlined_functions_count_like_others);
    tcase_add_test(tests, what_is_measured_follows_the_types);
    Suite *suite = suite_create("plain");
    suite_add_tcase(suite, tests);
    return suite;
}
