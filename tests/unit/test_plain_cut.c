// SPDX-License-Identifier: MIT
#include "profile/plain_cut.h"

#include <check.h>
#include <string.h>

#include "fixture_plain.h"

static uint32_t depth_of(const struct plain_profile *profile, uint32_t sample)
{
    uint32_t depth = 0, node = profile->samples.list[sample].stack;
    for (; node; node = profile->stacks.nodes[node].parent)
        depth++;
    return depth;
}

static uint32_t deeper(struct plain_profile *profile, uint32_t stack, uint32_t frames)
{
    for (uint32_t i = 0; i < frames; i++)
        stack = plain_child(profile, stack, fixture_location(profile, PLAIN_NONE, stack, "deep"));
    return stack;
}

START_TEST(deep_stacks_end_at_the_bound)
{
    struct plain_profile *profile = plain_new();
    plain_add_type(profile, "samples", "count");
    plain_add_type(profile, "cpu", "nanoseconds");
    uint32_t shallow = deeper(profile, 0, 10);
    fixture_sample(profile, shallow, 0, 1, 10);
    fixture_sample(profile, deeper(profile, shallow, 1), 0, 2, 20);
    fixture_sample(profile, deeper(profile, shallow, 90), 0, 3, 30);
    plain_cut(profile, 10);
    for (uint32_t i = 0; i < 3; i++)
        ck_assert_int_eq(depth_of(profile, i), 10);
    ck_assert_int_eq(profile->comment_count, 1);
    ck_assert_str_eq(plain_string(profile, profile->comments[0]), "2 stacks are cut at 10 frames");
    plain_cut(profile, 10); // nothing is left to do
    ck_assert_int_eq(profile->comment_count, 1);
    plain_free(profile);
}
END_TEST

START_TEST(inlined_frames_count)
{
    struct plain_profile *profile = plain_new();
    struct plain_line lines[4] = {{.function = plain_add_function(
                                       profile, (struct plain_function){.name = 0})}};
    plain_add_type(profile, "samples", "count");
    plain_add_type(profile, "cpu", "nanoseconds");
    uint32_t location = plain_add_location(profile, PLAIN_NONE, 1, lines, 4), stack = 0;
    for (int i = 0; i < 5; i++)
        stack = plain_child(profile, stack, location);
    fixture_sample(profile, stack, 0, 1, 10);
    plain_cut(profile, 12);
    ck_assert_int_eq(depth_of(profile, 0), 3);
    plain_free(profile);
}
END_TEST

Suite *suite_plain_cut(void);

Suite *suite_plain_cut(void)
{
    TCase *tests = tcase_create("plain_cut");
    tcase_add_test(tests, deep_stacks_end_at_the_bound);
    tcase_add_test(tests, inlined_frames_count);
    Suite *suite = suite_create("plain_cut");
    suite_add_tcase(suite, tests);
    return suite;
}
