// SPDX-License-Identifier: MIT
#include "base/json.h"

#include <check.h>
#include <math.h>

#include "base/mem.h"

static struct buf text;
static struct json json;

static void set_up(void)
{
    json = (struct json){.out = &text};
}

static void tear_down(void)
{
    buf_fini(&text);
}

START_TEST(members_are_told_apart)
{
    json_begin(&json, NULL, '{');
    json_text(&json, "name", "a\"b");
    json_text(&json, "none", NULL);
    json_number(&json, "least", INT64_MIN);
    json_count(&json, "most", UINT64_MAX);
    json_bool(&json, "yes", true);
    json_null(&json, "nothing");
    json_begin(&json, "list", '[');
    json_number(&json, NULL, -1);
    json_begin(&json, NULL, '{');
    json_end(&json, '{');
    json_begin(&json, NULL, '[');
    json_end(&json, '[');
    json_end(&json, '[');
    json_bool(&json, "last", false);
    json_end(&json, '{');
    ck_assert_str_eq(text.data, "{\"name\":\"a\\\"b\",\"none\":\"\","
                                "\"least\":-9223372036854775808,\"most\":18446744073709551615,"
                                "\"yes\":true,\"nothing\":null,\"list\":[-1,{},[]],"
                                "\"last\":false}");
}
END_TEST

// Also if what there is so far has been written somewhere meanwhile.
START_TEST(what_begins_a_line)
{
    json_begin(&json, NULL, '[');
    json_line(&json);
    json_number(&json, NULL, 1);
    json_line(&json);
    json_number(&json, NULL, 2);
    ck_assert_str_eq(text.data, "[\n1,\n2");
    buf_clear(&text);
    json_number(&json, NULL, 3);
    json_line(&json); // nothing comes
    json_end(&json, '[');
    ck_assert_str_eq(text.data, ",3]");
}
END_TEST

static const struct {
    double value;
    unsigned decimals;
    const char *text;
} decimals[] = {
    {0, 1, "0.0"},          {99, 6, "99.000000"}, {2.0 / 3, 3, "0.667"}, {1.005, 1, "1.0"},
    {-0.25, 2, "-0.25"},    {-12.04, 1, "-12.0"}, {0.25, 1, "0.2"},      {0.05, 2, "0.05"},
    {NAN, 2, "0.00"},       {-INFINITY, 1, "0.0"}, {1e300, 1, "0.0"},    {99.996, 2, "100.00"},
};

START_TEST(decimals_are_rounded_as_printf_does)
{
    json_decimal(&json, NULL, decimals[_i].value, decimals[_i].decimals);
    ck_assert_str_eq(text.data, decimals[_i].text);
}
END_TEST

Suite *suite_json(void);
Suite *suite_json(void)
{
    Suite *suite = suite_create("json");
    TCase *tests = tcase_create("json");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, members_are_told_apart);
    tcase_add_test(tests, what_begins_a_line);
    tcase_add_loop_test(tests, decimals_are_rounded_as_printf_does, 0, ARRAY_LENGTH(decimals));
    suite_add_tcase(suite, tests);
    return suite;
}
