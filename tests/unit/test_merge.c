// SPDX-License-Identifier: MIT
// Sums, differences, multiples and parts of plain profiles.
#include "profile/plain_merge.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "fixture_plain.h"
#include "output/parser.h"
#include "output/writer.h"
#include "profile/plain_filter.h"
#include "profile/plain_scale.h"

#define FILE_MAX (1u << 20)

static struct plain_profile *profile, *other, *made;

static void set_up(void)
{
    profile = fixture_plain();
    other = fixture_plain();
    made = NULL;
}

static void tear_down(void)
{
    plain_free(profile);
    plain_free(other);
    plain_free(made);
}

// main calls f; g calls h in another thread; of `other`, that lies elsewhere: main calls f and h.
static void fill(void)
{
    uint32_t bin = fixture_mapping(profile, "/bin/a", "ab", 0x10000);
    uint32_t lib = fixture_mapping(profile, "/lib/b", "", 0x30000);
    uint32_t start = fixture_location(profile, bin, 0x10010, "main");
    uint32_t f = fixture_location(profile, bin, 0x10020, "f");
    uint32_t g = fixture_location(profile, lib, 0x30030, "g");
    uint32_t h = fixture_location(profile, lib, 0x30040, "h");
    uint32_t one = plain_with_number(profile, plain_with_text(profile, 0, "thread", "x"), "tid", 5);
    uint32_t two = plain_with_number(profile, plain_with_text(profile, 0, "thread", "y"), "tid", 9);
    fixture_sample(profile, plain_stack(profile, (const uint32_t[]){f, start}, 2), one, 1, 10);
    fixture_sample(profile, plain_stack(profile, (const uint32_t[]){h, g}, 2), two, 4, 40);
    fixture_sample(profile, plain_child(profile, 0, g), two, 0, 0);
    fixture_mapping(other, "/lib/unused", "", 0x90000);
    lib = fixture_mapping(other, "/lib/b", "", 0x70000);
    bin = fixture_mapping(other, "/elsewhere/a", "ab", 0x50000);
    h = fixture_location(other, lib, 0x70040, "h");
    f = fixture_location(other, bin, 0x50020, "f");
    start = fixture_location(other, bin, 0x50010, "main");
    one = plain_with_text(other, plain_with_number(other, 0, "tid", 5), "thread", "x");
    fixture_sample(other, plain_stack(other, (const uint32_t[]){f, start}, 2), one, 2, 25);
    fixture_sample(other, plain_stack(other, (const uint32_t[]){h, start}, 2), one, 3, 30);
}

static void write_bytes(const struct plain_profile *one, struct buf *out)
{
    AUTO_FREE char *bytes = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&bytes, &size);
    ck_assert_ptr_nonnull(stream);
    const struct writing writing = {.profile = one};
    ck_assert_int_eq(writer_by_name("pprof")->write(&writing, stream, NULL), RC_OK);
    ck_assert_int_eq(fclose(stream), 0);
    buf_append(out, bytes, size);
}

static void check_same(const struct plain_profile *a, const struct plain_profile *b)
{
    AUTO_BUF struct buf one = {0}, two = {0};
    write_bytes(a, &one);
    write_bytes(b, &two);
    ck_assert_uint_eq(one.length, two.length);
    ck_assert_int_eq(memcmp(one.data, two.data, one.length), 0);
}

// It is the same once it has been a file.
static void check_written(const struct plain_profile *one)
{
    AUTO_BUF struct buf bytes = {0};
    struct plain_profile *read;
    write_bytes(one, &bytes);
    ck_assert_int_eq(parser_parse(bytes.data, bytes.length, &read, NULL), RC_OK);
    check_same(one, read);
    plain_free(read);
}

static struct plain_profile *sum_of(const struct plain_profile *a, const struct plain_profile *b)
{
    const struct plain_profile *both[] = {a, b};
    struct plain_profile *sum;
    ck_assert_int_eq(plain_merge(both, b ? 2 : 1, &sum, NULL), RC_OK);
    check_written(sum);
    return sum;
}

static struct plain_profile *rest_of(const struct plain_profile *a, const struct plain_profile *b)
{
    struct plain_profile *rest;
    ck_assert_int_eq(plain_subtract(a, b, &rest, NULL), RC_OK);
    check_written(rest);
    return rest;
}

static void check_values(uint32_t sample, int64_t samples, int64_t ns)
{
    ck_assert_uint_lt(sample, made->samples.count);
    ck_assert_int_eq(plain_values(made, sample)[0], samples);
    ck_assert_int_eq(plain_values(made, sample)[1], ns);
}

START_TEST(profiles_of_two_processes_merge)
{
    fill();
    profile->time = 100;
    other->time = 50;
    profile->duration = other->duration = 7;
    plain_add_comment(profile, "a");
    plain_add_comment(other, "a");
    plain_add_comment(other, "b");
    made = sum_of(profile, other);
    ck_assert_uint_eq(made->samples.count, 3);
    check_values(0, 3, 35);
    check_values(1, 4, 40);
    check_values(2, 3, 30);
    ck_assert_uint_eq(made->code.mapping_count, 2); // by build id, by file
    ck_assert_uint_eq(made->code.function_count, 4);
    ck_assert_uint_eq(made->code.location_count, 4);
    ck_assert_uint_eq(made->code.locations[0].address, 0x10020);
    ck_assert_int_eq(plain_label(made, made->samples.list[2].labels, "tid")->number, 5);
    ck_assert_int_eq(made->time, 50);
    ck_assert_int_eq(made->duration, 14);
    ck_assert_uint_eq(made->comment_count, 2);
}
END_TEST

START_TEST(code_of_another_size_is_other_code)
{
    uint32_t mine = fixture_mapping(profile, "/bin/a", "ab", 0x10000);
    uint32_t theirs = fixture_mapping(other, "/bin/a", "ab", 0x10000);
    other->code.mappings[theirs].limit++; // of another page
    fixture_sample(profile, plain_child(profile, 0, fixture_location(profile, mine, 0x10010, "f")),
                   0, 1, 1);
    fixture_sample(other, plain_child(other, 0, fixture_location(other, theirs, 0x10010, "f")), 0,
                   1, 1);
    made = sum_of(profile, other);
    ck_assert_uint_eq(made->code.mapping_count, 2);
    ck_assert_uint_eq(made->code.function_count, 1);
    ck_assert_uint_eq(made->samples.count, 2);
}
END_TEST

START_TEST(a_difference_has_both_signs)
{
    fill();
    profile->time = 100;
    other->time = 50;
    made = rest_of(profile, other);
    check_values(0, -1, -15);
    check_values(1, 4, 40);
    check_values(2, -3, -30);
    ck_assert_int_eq(made->time, 100);
}
END_TEST

START_TEST(what_was_added_can_be_taken_away)
{
    fill();
    struct plain_profile *sum = sum_of(profile, other), *one = sum_of(profile, NULL);
    made = rest_of(sum, other);
    check_same(made, one);
    plain_free(made);
    made = rest_of(profile, profile);
    ck_assert_uint_eq(made->samples.count, 0);
    ck_assert_uint_eq(made->type_count, 2);
    plain_free(sum);
    plain_free(one);
}
END_TEST

START_TEST(profiles_of_other_types_do_not_mix)
{
    struct err err = {0};
    const struct plain_profile *both[] = {profile, other};
    plain_add_type(other, "objects", "co\x1bunt");
    ck_assert_int_eq(plain_merge(both, 2, &made, &err), RC_USAGE);
    ck_assert_ptr_nonnull(strstr(err.text, "the profiles are of different types:\n"));
    ck_assert_ptr_nonnull(strstr(err.text, ", objects/co\\x1bunt"));
    ck_assert_ptr_null(made);
    ck_assert_int_eq(plain_subtract(profile, other, &made, &err), RC_USAGE);
    ck_assert_ptr_null(made);
}
END_TEST

START_TEST(each_type_has_its_factor)
{
    uint32_t a = fixture_location(profile, PLAIN_NONE, 1, "a");
    uint32_t b = fixture_location(profile, PLAIN_NONE, 2, "b");
    fixture_sample(profile, plain_child(profile, 0, a), 0, INT64_MAX, INT64_MIN);
    fixture_sample(profile, plain_child(profile, 0, b), 0, INT64_MIN, 3);
    made = plain_scale(profile, (const double[]){1, -0.5});
    check_values(0, INT64_MAX, 1ll << 62);
    check_values(1, INT64_MIN, -2);
    plain_free(made);
    made = plain_scale(profile, (const double[]){1e300, 0});
    check_values(0, INT64_MAX, 0);
    check_values(1, INT64_MIN, 0);
    ck_assert_int_eq(plain_values(profile, 1)[1], 3);
}
END_TEST

// --- parts ---

static const int64_t whole[] = {10, 40}; // ns of the samples of `profile`

static void check_part(const struct plain_filter *filter, bool first, bool second)
{
    uint32_t at = 0;
    ck_assert_int_eq(plain_filter(profile, filter, &made, NULL), RC_OK);
    check_written(made);
    for (size_t i = 0; i < ARRAY_LENGTH(whole); i++)
        if (i ? second : first)
            ck_assert_int_eq(plain_values(made, at++)[1], whole[i]);
    for (; at < made->samples.count; at++)
        ck_assert(plain_is_empty(made, at));
    plain_free(made);
    made = NULL;
}

START_TEST(stacks_are_chosen_as_pprof_does)
{
    fill();
    check_part(&(struct plain_filter){0}, true, true);
    check_part(&(struct plain_filter){.focus = "^main$"}, true, false);
    check_part(&(struct plain_filter){.focus = "^[gm]"}, true, true);
    check_part(&(struct plain_filter){.focus = "/lib/"}, false, true);
    check_part(&(struct plain_filter){.focus = "nothing"}, false, false);
    check_part(&(struct plain_filter){.ignore = "h|nothing"}, true, false);
    check_part(&(struct plain_filter){.focus = "g", .ignore = "h"}, false, false);
    check_part(&(struct plain_filter){.focus = "F"}, false, false);
}
END_TEST

START_TEST(labels_are_chosen)
{
    fill();
    check_part(&(struct plain_filter){.label = "thread"}, true, true);
    check_part(&(struct plain_filter){.label = "pid"}, false, false);
    check_part(&(struct plain_filter){.label = "thread", .text = "^x$"}, true, false);
    check_part(&(struct plain_filter){.label = "tid", .text = "x"}, false, false);
    check_part(&(struct plain_filter){.label = "tid", .numbered = true, .least = 5, .most = 8},
               true, false);
    check_part(&(struct plain_filter){.label = "tid", .numbered = true, .least = 6, .most = 9},
               false, true);
    check_part(&(struct plain_filter){.label = "thread", .numbered = true, .most = 9}, false,
               false);
    check_part(&(struct plain_filter){.label = "tid", .focus = "h"}, false, true);
}
END_TEST

START_TEST(what_a_part_does_not_need_is_not_in_it)
{
    fill();
    ck_assert_int_eq(plain_filter(profile, &(struct plain_filter){.focus = "main"}, &made, NULL),
                     RC_OK);
    ck_assert_uint_eq(made->code.mapping_count, 1);
    ck_assert_uint_eq(made->code.function_count, 2);
    ck_assert_uint_eq(made->labels.count, 2);
}
END_TEST

START_TEST(a_bad_expression_is_refused)
{
    struct err err;
    const struct plain_filter filter = {.focus = "x", .ignore = "(\x1b"};
    ck_assert_int_eq(plain_filter(profile, &filter, &made, &err), RC_USAGE);
    ck_assert_ptr_null(made);
    ck_assert_msg(strstr(err.text, "is not a regular expression") && !strchr(err.text, '\x1b'),
                  "%s", err.text);
}
END_TEST

Suite *suite_merge(void);

Suite *suite_merge(void)
{
    TCase *tests = tcase_create("merge");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, profiles_of_two_processes_merge);
    tcase_add_test(tests, code_of_another_size_is_other_code);
    tcase_add_test(tests, a_difference_has_both_signs);
    tcase_add_test(tests, what_was_added_can_be_taken_away);
    tcase_add_test(tests, profiles_of_other_types_do_not_mix);
    tcase_add_test(tests, each_type_has_its_factor);
    tcase_add_test(tests, stacks_are_chosen_as_pprof_does);
    tcase_add_test(tests, labels_are_chosen);
    tcase_add_test(tests, what_a_part_does_not_need_is_not_in_it);
    tcase_add_test(tests, a_bad_expression_is_refused);
    Suite *suite = suite_create("merge");
    suite_add_tcase(suite, tests);
    return suite;
}
