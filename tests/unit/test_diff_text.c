// SPDX-License-Identifier: MIT
// What `ptprof diff` prints of profiles made by hand.
#include "commands/diff_text.h"

#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "fixture_plain.h"
#include "fixture_profile.h"

static struct plain_profile *profiles[2];
static struct difference_query query;
static char *const old_names[] = {"old.pb.gz"}, *const new_names[] = {"new\x1b.pb.gz"};

static void set_up(void)
{
    for (int i = 0; i < 2; i++)
        profiles[i] = fixture_plain();
    query = (struct difference_query){.false_alarms = 0.05};
}

static void tear_down(void)
{
    for (int i = 0; i < 2; i++)
        plain_free(profiles[i]);
}

// Samples of 10 ms of a function that main calls.
static void add(int side, const char *name, int64_t samples)
{
    struct plain_profile *profile = profiles[side];
    uint32_t bin = fixture_mapping(profile, side ? "/bin/app-2" : "/bin/app-1", "", 0x1000);
    uint32_t root = fixture_location(profile, bin, 0x1010, "main");
    uint32_t leaf = fixture_location(profile, bin, 0x1020, name);
    fixture_sample(profile, plain_stack(profile, (const uint32_t[]){leaf, root}, 2), 0, samples,
                   samples * 10 * NS_PER_MS);
}

static void fill(void)
{
    static const struct {
        const char *name;
        int64_t samples[2];
    } functions[] = {{"hot", {100, 220}},  {"steady", {400, 395}}, {"less", {260, 150}},
                     {"gone", {120, 0}},   {"added", {0, 40}},     {"rare", {2, 1}},
                     {"new\x1b[31m", {0, 3}}, {"noise", {60, 71}}, {"other", {58, 52}}};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        for (int side = 0; side < 2; side++)
            if (functions[i].samples[side])
                add(side, functions[i].name, functions[i].samples[side]);
    for (int side = 0; side < 2; side++)
        profiles[side]->duration = 10ll * NS_PER_S;
}

static void print(struct buf *text, bool json, bool color)
{
    struct tally_source before = {profiles[0], profiles[0], 1};
    struct tally_source after = {profiles[1], profiles[1], 1};
    struct difference_side old = {&before, 1}, new = {&after, 1};
    struct difference difference;
    difference_init(&difference, &old, &new, &query);
    struct diff_printing printing = {
        .difference = &difference, .query = &query, .type = "cpu", .unit = "nanoseconds",
        .by = "function", .old = old_names, .new = new_names, .top = 8, .color = color};
    if (json)
        diff_json(text, &printing);
    else
        diff_text(text, &printing);
    difference_fini(&difference);
}

START_TEST(texts_are_as_saved)
{
    AUTO_BUF struct buf text = {0}, json = {0};
    fill();
    print(&text, false, false);
    print(&json, true, false);
    fixture_golden("diff.txt", text.data);
    fixture_golden("diff.json", json.data);
    ck_assert_ptr_null(strchr(text.data, '\x1b'));
    ck_assert_ptr_null(strchr(json.data, '\x1b'));
}
END_TEST

START_TEST(totals_are_as_saved)
{
    AUTO_BUF struct buf text = {0};
    query.total = true;
    fill();
    print(&text, false, true);
    fixture_golden("diff-total.txt", text.data);
}
END_TEST

START_TEST(an_empty_side_is_told)
{
    AUTO_BUF struct buf text = {0};
    add(0, "hot", 5);
    print(&text, false, false);
    ck_assert_ptr_nonnull(strstr(text.data, "The new side holds nothing of it"));
    ck_assert_ptr_null(strstr(text.data, "shrank"));
}
END_TEST

START_TEST(two_empty_sides_are_told)
{
    AUTO_BUF struct buf text = {0};
    print(&text, false, false);
    ck_assert_ptr_nonnull(strstr(text.data, "The old side holds nothing of it"));
}
END_TEST

Suite *suite_diff_text(void)
{
    Suite *suite = suite_create("diff_text");
    TCase *tests = tcase_create("diff_text");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, texts_are_as_saved);
    tcase_add_test(tests, totals_are_as_saved);
    tcase_add_test(tests, an_empty_side_is_told);
    tcase_add_test(tests, two_empty_sides_are_told);
    suite_add_tcase(suite, tests);
    return suite;
}
