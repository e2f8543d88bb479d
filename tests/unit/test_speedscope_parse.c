// SPDX-License-Identifier: MIT
// speedscope's JSON: sampled and evented profiles, units, and what is wrong with others.
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_parse.h"

#define HEAD "{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\n"
#define FRAMES                                                                                     \
    "\"shared\":{\"frames\":[{\"name\":\"main\"},\n"                                              \
    "{\"name\":\"work;er\",\"file\":\"/src/a.c\",\"line\":12,\"col\":3},{\"name\":\"f\"}]},\n"

static const char sampled[] = HEAD FRAMES
    "\"profiles\":[{\"type\":\"sampled\",\"name\":\"worker\",\"unit\":\"milliseconds\",\n"
    "\"startValue\":0,\"endValue\":5,\"samples\":[[0,1],[0],[0,1],[]],\"weights\":[1,2.5,0.5,1]},\n"
    "{\"type\":\"sampled\",\"name\":\"\",\"unit\":\"seconds\",\n"
    "\"startValue\":0,\"endValue\":5,\"samples\":[[0,2]],\"weights\":[2]}]}\n";

static const char evented[] = HEAD FRAMES
    "\"profiles\":[{\"type\":\"evented\",\"name\":\"t\",\"unit\":\"none\",\"startValue\":0,\n"
    "\"endValue\":20,\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":0},\n"
    "{\"type\":\"O\",\"frame\":2,\"at\":3},{\"type\":\"O\",\"frame\":2,\"at\":4},\n"
    "{\"type\":\"C\",\"frame\":2,\"at\":6},{\"type\":\"C\",\"frame\":2,\"at\":10},\n"
    "{\"type\":\"C\",\"frame\":0,\"at\":11},{\"type\":\"O\",\"frame\":1,\"at\":15}]}]}\n";

START_TEST(sampled_profiles_are_threads)
{
    parse_check(sampled, "time/nanoseconds\n"
                         "1500000 thread=worker : main;work;er /src/a.c:12\n"
                         "2500000 thread=worker : main\n"
                         "1000000 thread=worker : \n"
                         "2000000000 : main;f\n");
}
END_TEST

START_TEST(evented_profiles)
{
    parse_check(evented, "samples/count\n"
                         "4 thread=t : main\n"
                         "5 thread=t : main;f\n"
                         "2 thread=t : main;f;f\n"
                         "5 thread=t : work;er /src/a.c:12\n");
}
END_TEST

START_TEST(units_are_types)
{
    parse_check("\n { \"profiles\":[\n"
                "{\"type\":\"sampled\",\"unit\":\"bytes\",\"samples\":[[0]],\"weights\":[5]},\n"
                "{\"type\":\"sampled\",\"unit\":\"none\",\"samples\":[[0]],\"weights\":[6]},\n"
                "{\"type\":\"sampled\",\"unit\":\"microseconds\",\"samples\":[[0]],\n"
                "\"weights\":[7]},\n"
                "{\"type\":\"sampled\",\"unit\":\"nanoseconds\",\"samples\":[[0]],\n"
                "\"weights\":[8.4]}],\n"
                "\"shared\":{\"frames\":[{\"name\":\"a\"}]}}",
                "space/bytes samples/count time/nanoseconds\n5 6 7008 : a\n");
}
END_TEST

// Puts the fields of one profile, with a frame, into a file.
static void refused(const char *fields, const char *words)
{
    AUTO_FREE char *text = xasprintf(
        HEAD "\"shared\":{\"frames\":[{\"name\":\"a\"}]},\"profiles\":[{%s}]}", fields);
    parse_check_refused(text, words);
}

#define SAMPLED "\"type\":\"sampled\",\"unit\":\"none\","
#define EVENTED "\"type\":\"evented\",\"unit\":\"none\",\"startValue\":1,\"endValue\":2,"

START_TEST(what_is_wrong_is_said)
{
    refused("\"type\":\"sampled\",\"unit\":\"\\u001b[31m\"", "in a unit that ptprof does not know");
    refused("\"type\":\"other\",\"unit\":\"none\"", "profile 0 is neither sampled nor evented");
    refused(SAMPLED "\"samples\":[[0]],\"weights\":[]", "1 samples and 0 weights");
    refused(SAMPLED "\"samples\":{},\"weights\":{}", "0 samples and 0 weights");
    refused(SAMPLED "\"samples\":[[0]],\"weights\":[-1]", "sample 0 of profile 0 is no stack");
    refused(SAMPLED "\"samples\":[[0]],\"weights\":[\"1\"]", "sample 0 of profile 0 is no stack");
    refused(SAMPLED "\"samples\":[0],\"weights\":[1]", "sample 0 of profile 0 is no stack");
    refused(SAMPLED "\"samples\":[[1]],\"weights\":[1]", "a frame that is none of the 1");
    refused(SAMPLED "\"samples\":[[-1]],\"weights\":[1]", "a frame that is none of the 1");
    refused(SAMPLED "\"samples\":[[4294967296]],\"weights\":[1]", "a frame that is none of the 1");
    refused(SAMPLED "\"samples\":[[0.5]],\"weights\":[1]", "a frame that is none of the 1");
    refused(EVENTED "\"events\":1", "profile 0 has no events");
    refused(EVENTED "\"events\":[{\"type\":\"C\",\"frame\":0,\"at\":1}]", "is not the innermost");
    refused(EVENTED "\"events\":[{\"type\":\"O\",\"frame\":0}]", "or has no time");
    refused(EVENTED "\"events\":[{\"type\":\"X\",\"frame\":0,\"at\":1}]", "neither opens nor");
    refused(EVENTED "\"events\":[{\"type\":\"O\",\"frame\":0,\"at\":5},"
                    "{\"type\":\"C\",\"frame\":0,\"at\":4}]", "event 1 of profile 0 is before");
}
END_TEST

START_TEST(other_json_is_none)
{
    parse_check_refused("{}", "it is JSON, but not of speedscope");
    parse_check_refused("{\"traceEvents\":[]}", "it is JSON, but not of speedscope");
    parse_check_refused(HEAD FRAMES "\"profiles\":[]}", "it has no profiles");
    parse_check_refused(HEAD "\"shared\":{\"frames\":[{}]},\"profiles\":[{\"unit\":\"none\"}]}",
                        "frame 0 has no name");
    parse_check_refused("{\"a\":", "its JSON is damaged in line 1");
    parse_check_refused(HEAD FRAMES "\"profiles\":[{" EVENTED "\"events\":["
                        "{\"type\":\"O\",\"frame\":0,\"at\":1},"
                        "{\"type\":\"C\",\"frame\":1,\"at\":2}]}]}", "is not the innermost");
    parse_check_refused("[{\"a\":1}]", "in a format that ptprof reads");
}
END_TEST

START_TEST(large_weights_stay_at_the_bound)
{
    parse_check(HEAD FRAMES "\"profiles\":[{\"type\":\"sampled\",\"unit\":\"seconds\",\n"
                            "\"samples\":[[0],[0]],\"weights\":[1e300,9]}]}",
                "time/nanoseconds\n9223372036854775807 : main\n");
}
END_TEST

START_TEST(damaged)
{
    parse_check_damaged(sampled, sizeof sampled - 1);
    parse_check_damaged(evented, sizeof evented - 1);
    parse_check_nul(sampled);
}
END_TEST

START_TEST(deep_json)
{
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, "{\"a\":");
    for (int i = 0; i < 1000000; i++)
        buf_putc(&text, '[');
    parse_check_refused(text.data, "maximum parsing depth");
}
END_TEST

Suite *suite_speedscope_parse(void);

Suite *suite_speedscope_parse(void)
{
    TCase *tests = tcase_create("speedscope JSON");
    tcase_add_test(tests, sampled_profiles_are_threads);
    tcase_add_test(tests, evented_profiles);
    tcase_add_test(tests, units_are_types);
    tcase_add_test(tests, what_is_wrong_is_said);
    tcase_add_test(tests, other_json_is_none);
    tcase_add_test(tests, large_weights_stay_at_the_bound);
    tcase_add_test(tests, damaged);
    tcase_add_test(tests, deep_json);
    Suite *suite = suite_create("speedscope_parse");
    suite_add_tcase(suite, tests);
    return suite;
}
