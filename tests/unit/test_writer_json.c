// SPDX-License-Identifier: MIT
#include <check.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_profile.h"

#define MANY 1000000

static struct fixture fixture;

static void set_up(void)
{
    fixture_init(&fixture, MANY);
}

static void tear_down(void)
{
    fixture_fini(&fixture);
}

START_TEST(json_is_what_was_agreed)
{
    fixture_fill(&fixture);
    AUTO_FREE char *text = fixture_write(&fixture, "json", NULL);
    fixture_golden("profile.json", text);
}
END_TEST

START_TEST(wall_time_has_states)
{
    fixture_fill_wall(&fixture);
    AUTO_FREE char *text = fixture_write(&fixture, "json", NULL);
    fixture_golden("profile-wall.json", text);
}
END_TEST

START_TEST(an_idle_target_gives_empty_lists)
{
    AUTO_FREE char *text = fixture_write(&fixture, "json", NULL);
    fixture_golden("profile-empty.json", text);
}
END_TEST

START_TEST(numbers_stay_numbers)
{
    fixture.run.rate = NAN;
    fixture.run.achieved = INFINITY;
    fixture.run.held_share = -0.25;
    fixture.run.counts[COUNTER_ROUNDS] = UINT64_MAX;
    fixture.run.counts[COUNTER_LIMIT] = EMFILE;
    AUTO_FREE char *text = fixture_write(&fixture, "json", NULL);
    ck_assert_ptr_nonnull(strstr(text, "\"rate_hz\":0.000000,"));
    ck_assert_ptr_nonnull(strstr(text, "\"achieved_hz\":0.000000,"));
    ck_assert_ptr_nonnull(strstr(text, "\"held_share\":-0.250000,"));
    ck_assert_ptr_nonnull(strstr(text, "\"rounds\":18446744073709551615,"));
    ck_assert_ptr_nonnull(strstr(text, "\"limit\":\"EMFILE\","));
}
END_TEST

Suite *suite_writer_json(void);

Suite *suite_writer_json(void)
{
    TCase *tests = tcase_create("writer_json");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, json_is_what_was_agreed);
    tcase_add_test(tests, wall_time_has_states);
    tcase_add_test(tests, an_idle_target_gives_empty_lists);
    tcase_add_test(tests, numbers_stay_numbers);
    Suite *suite = suite_create("writer_json");
    suite_add_tcase(suite, tests);
    return suite;
}
