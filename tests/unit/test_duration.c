// SPDX-License-Identifier: MIT
#include <check.h>
#include <string.h>

#include "base/clock.h"
#include "base/duration.h"
#include "base/mem.h"

static const struct {
    const char *text;
    int64_t ns;
} good[] = {
    {"30", 30ll * NS_PER_S},
    {"30s", 30ll * NS_PER_S},
    {"1.5", 1500ll * NS_PER_MS},
    {"1.5s", 1500ll * NS_PER_MS},
    {"500ms", 500ll * NS_PER_MS},
    {"250us", 250ll * NS_PER_US},
    {"0.000001ms", 1},
    {"1h30m", 5400ll * NS_PER_S},
    {"1h0m1s", 3601ll * NS_PER_S},
    {"1m0.5s", 60500ll * NS_PER_MS},
    {"0.1234567891234s", 123456789},
    {"8760h", 8760ll * 3600 * NS_PER_S},
};

START_TEST(parses)
{
    struct err err = {0};
    int64_t ns = -1;
    ck_assert_msg(duration_parse(good[_i].text, &ns, &err) == RC_OK, "%s", err.text);
    ck_assert_int_eq(ns, good[_i].ns);
}
END_TEST

static const struct {
    const char *text, *reason;
} bad[] = {
    {"abc", "'abc' is not a duration; write 30s, 500ms or 1h30m"},
    {"", "not a duration"},
    {"s", "not a duration"},
    {".5s", "not a duration"},
    {"5.s", "not a duration"},
    {"5x", "not a duration"},
    {"5 s", "not a duration"},
    {" 5s", "not a duration"},
    {"1h30", "not a duration"},
    {"30m1h", "not a duration"},
    {"1s1s", "not a duration"},
    {"1e3", "not a duration"},
    {"0x10", "not a duration"},
    {"inf", "not a duration"},
    {"--5s", "not a duration"},
    {"-x", "not a duration"},
    {"-5s", "'-5s' is negative"},
    {"0", "no time at all"},
    {"0ms", "no time at all"},
    {"0.0000000001s", "no time at all"},
    {"400000000000000000000000", "longer than a year"},
    {"9223372036855s", "longer than a year"},
    {"9000h", "longer than a year"},
    {"8784h1us", "longer than a year"},
    {"8784.5h", "longer than a year"},
    {"5\x1b[31m", "'5\\x1b[31m' is not a duration"},
};

START_TEST(refuses)
{
    struct err err = {0};
    int64_t ns = -1;
    ck_assert_int_eq(duration_parse(bad[_i].text, &ns, &err), RC_USAGE);
    ck_assert_msg(strstr(err.text, bad[_i].reason) != NULL, "%s", err.text);
    ck_assert_int_eq(ns, -1);
}
END_TEST

Suite *suite_duration(void);
Suite *suite_duration(void)
{
    Suite *suite = suite_create("duration");
    TCase *tests = tcase_create("duration");
    tcase_add_loop_test(tests, parses, 0, ARRAY_LENGTH(good));
    tcase_add_loop_test(tests, refuses, 0, ARRAY_LENGTH(bad));
    suite_add_tcase(suite, tests);
    return suite;
}
