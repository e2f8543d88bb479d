// SPDX-License-Identifier: MIT
// The text of perf script: perf's own, with and without call chains, and ours.
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_parse.h"

static const char perf_text[] =
    "# ========\n"
    "# captured on    : Sun Nov 29 19:58:24 2026\n"
    "# hostname : vm\n"
    "# nrcpus online : 2\n"
    "# ========\n"
    "#\n"
    "rd_a 19328 65638.815245:     250000 cpu-clock:ppp: \n"
    "\t            90c0 do_lookup_x+0x360 (/usr/lib/ld-linux-x86-64.so.2)\n"
    "\n"
    "rd_a 19328 65638.815494:     250000 cpu-clock:ppp: \n"
    "\tffffffff822601e7 exc_page_fault+0xd7 ([kernel.kallsyms])\n"
    "\t           98109 _int_malloc+0xda9 (/usr/lib/libc.so.6)\n"
    "\t               0 [unknown] ([unknown])\n"
    "\n";

START_TEST(what_perf_writes)
{
    parse_check(perf_text,
                "samples/count cpu/nanoseconds | period 250000 | duration 249000"
                " | captured on    : Sun Nov 29 19:58:24 2026 | hostname : vm\n"
                "1 250000 thread=rd_a thread_id=19328 tid=19328 : "
                "do_lookup_x@ld-linux-x86-64.so.2\n"
                "1 250000 thread=rd_a thread_id=19328 tid=19328 : "
                "0x0;_int_malloc@libc.so.6;exc_page_fault@[kernel.kallsyms]\n");
}
END_TEST

START_TEST(what_we_write)
{
    parse_check("worker_7  4242/4243 [003]     0.100000:   10000000 cpu-clock: \n"
                "\t          401169 inner (inlined)\n"
                "\t          401169 work (/path/app)\n"
                "\t          401200 main (/path/app)\n"
                "\n"
                "# a record stands for 10000000 ns of CPU time",
                "samples/count cpu/nanoseconds | period 10000000\n"
                "1 10000000 thread=worker_7 thread_id=4243 tid=4243 pid=4242 : "
                "main@app;work@app;inner@app(inlined)\n");
}
END_TEST

START_TEST(several_events_are_several_types)
{
    parse_check("a 1/2 [000] 1.000000: 100 cycles: \n"
                "\t 401169 f+0x1 (/a)\n"
                "\n"
                "a 1/2 [000] 1.500000: 1 cache-misses: \n"
                "\t 401169 f+0x1 (/a)\n"
                "\n"
                "a 1/2 [000] 2.000000: 300 cycles: \n"
                "\t 401169 f+0x1 (/a)\n",
                "cycles_sample/count cycles_event/count cache-misses_sample/count "
                "cache-misses_event/count | duration 1000000000\n"
                "2 400 1 1 thread=a thread_id=2 tid=2 pid=1 : f@a\n");
}
END_TEST

START_TEST(without_periods)
{
    parse_check("a 1 1.000000: cycles: \n\t 401169 f+0x1 (/a)\n\n"
                "a 1 1.000000: cycles: \n\t 401169 f+0x9 (/a)\n",
                "samples/count\n"
                "1 thread=a thread_id=1 tid=1 : f@a\n"
                "1 thread=a thread_id=1 tid=1 : f@a\n");
}
END_TEST

START_TEST(without_call_chains)
{
    parse_check("            perf  7 [001] 1.000000:     1 cycles: ffffffff8100 f+0x1 (/k)\n"
                "            cafe  8 [001] 1.000000:     3 cycles:       401 g (/a b)\n"
                "         swapper  0 [001] 1.000000:     1 cycles: \n",
                "samples/count cycles/count\n"
                "1 1 thread=perf thread_id=7 tid=7 : f@k\n"
                "1 3 thread=cafe thread_id=8 tid=8 : g@a b\n"
                "1 1 thread=swapper thread_id=0 tid=0 : \n");
}
END_TEST

START_TEST(names_with_blanks_and_digits)
{
    parse_check("worker 7 4242/4243 [003] 1.0: 5 sched:sched_switch: prev_comm=a 12 ==> b\n"
                "\t 401 operator()(int)+0x3 (/a (deleted))\n"
                "\t 402 a::operator+ (/lib/x(1).so)\n"
                "\t 403 f+0xzz ([unknown])\n"
                "\t 404 (anonymous namespace)::g(char)+0x4 (//anon)\n"
                "\t 405 [unknown] (/tmp/perf-4242.map)\n"
                "\t 406\n",
                "samples/count sched:sched_switch/count | period 5\n"
                "1 5 thread=worker 7 thread_id=4243 tid=4243 pid=4242 : "
                "0x406;0x405@perf-4242.map;(anonymous namespace)::g(char)@anon(made);f+0xzz;"
                "a::operator+@x(1).so;operator()(int)@a\n");
}
END_TEST

START_TEST(lines_that_are_neither_are_skipped)
{
    parse_check("a 1 [000] 0.5: PERF_RECORD_MMAP2 1/1: [0x1(0x2) @ 0 08:01 5 6]: r-xp /a\n"
                "a 1 [000] 1.0: 5 cycles: \n"
                "\t 401 f+0x3 (/a)\n"
                "  a.c:12\n"
                "\t 402 g+0x3 (/a)\n"
                "a 1 [000] 1.0: 5 cycles: \n"
                "\t 401 f+0x3 (/a)\n"
                "\t 401 f+0x3 (inlined)\n",
                "samples/count cycles/count | period 5\n"
                "1 5 thread=a thread_id=1 tid=1 : g@a;f@a\n"
                "1 5 thread=a thread_id=1 tid=1 : f;f@a\n");
}
END_TEST

START_TEST(the_same_lines_are_the_same_location)
{
    struct plain_profile *profile;
    const char text[] = "a 1 1.0: 5 cycles: \n\t 401 i (inlined)\n\t 401 f+0x3 (/a)\n\n"
                        "b 2 1.0: 5 cycles: \n\t 401 i (inlined)\n\t 401 f+0x3 (/a)\n\n"
                        "b 2 1.0: 5 cycles: \n\t 402 f+0x4 (/a)\n\n";
    ck_assert_int_eq(parser_parse(text, sizeof text - 1, &profile, NULL), RC_OK);
    ck_assert_uint_eq(profile->code.location_count, 2);
    ck_assert_uint_eq(profile->code.function_count, 2);
    ck_assert_uint_eq(profile->code.mapping_count, 1);
    ck_assert_uint_eq(profile->code.locations[1].address, 0x402);
    plain_free(profile);
}
END_TEST

START_TEST(what_is_shown_first)
{
    struct plain_profile *profile;
    const char text[] = "a 1 1.0: 5 faults: \n\t 401 f ([kernel.kallsyms])\n\n"
                        "a 1 1.0: 5 cycles: \n\t 401 f (/lib/a.so.1)\n\t 401 g (/bin/a)\n\n"
                        "a 1 1.0: 5 cycles: \n\t 401 h (/bin/b)\n\n"
                        "a 1 1.0: 5 misses: \n\t 401 f ([kernel.kallsyms])\n\n";
    ck_assert_int_eq(parser_parse(text, sizeof text - 1, &profile, NULL), RC_OK);
    ck_assert_str_eq(plain_string(profile, profile->default_type), "cycles_event");
    ck_assert_str_eq(plain_string(profile, profile->code.mappings[0].file), "/bin/a");
    ck_assert_uint_eq(profile->code.locations[0].mapping, 2);
    ck_assert_uint_eq(profile->code.locations[1].mapping, 1);
    ck_assert_uint_eq(profile->code.locations[2].mapping, 0);
    ck_assert_uint_eq(profile->code.locations[3].mapping, 3);
    plain_free(profile);
}
END_TEST

START_TEST(too_many_events)
{
    AUTO_BUF struct buf text = {0};
    for (int i = 0; i < 33; i++)
        buf_printf(&text, "a 1 1.0: 5 event%d: \n\t 401 f (/a)\n\n", i);
    parse_check_refused(text.data, "more than 32 events");
}
END_TEST

START_TEST(damaged)
{
    parse_check_damaged(perf_text, sizeof perf_text - 1);
    parse_check_nul(perf_text);
}
END_TEST

// A line of numbers is looked at once for each of them.
START_TEST(a_long_line)
{
    AUTO_BUF struct buf text = {0};
    buf_puts(&text, perf_text);
    for (int i = 0; i < 1000000; i++)
        buf_puts(&text, "1 2/3 [4] ");
    struct plain_profile *profile;
    ck_assert_int_eq(parser_parse(text.data, text.length, &profile, NULL), RC_OK);
    ck_assert_uint_eq(profile->samples.count, 2);
    plain_free(profile);
}
END_TEST

Suite *suite_perf_script_parse(void);

Suite *suite_perf_script_parse(void)
{
    TCase *tests = tcase_create("perf script");
    tcase_add_test(tests, what_perf_writes);
    tcase_add_test(tests, what_we_write);
    tcase_add_test(tests, several_events_are_several_types);
    tcase_add_test(tests, without_periods);
    tcase_add_test(tests, without_call_chains);
    tcase_add_test(tests, names_with_blanks_and_digits);
    tcase_add_test(tests, lines_that_are_neither_are_skipped);
    tcase_add_test(tests, the_same_lines_are_the_same_location);
    tcase_add_test(tests, what_is_shown_first);
    tcase_add_test(tests, too_many_events);
    tcase_add_test(tests, damaged);
    tcase_add_test(tests, a_long_line);
    Suite *suite = suite_create("perf_script_parse");
    suite_add_tcase(suite, tests);
    return suite;
}
