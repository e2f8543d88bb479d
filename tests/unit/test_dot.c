// SPDX-License-Identifier: MIT
// Graphs as text for graphviz's dot: what stands in them, and that no name does harm.
#include "output/dot.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"

static struct plain_profile *profile;
static struct buf text;

static void set_up(void)
{
    profile = fixture_plain();
    text = (struct buf){0};
}

static void tear_down(void)
{
    plain_free(profile);
    buf_fini(&text);
}

static uint32_t location(const char *name)
{
    return fixture_location(profile, PLAIN_NONE, 0x100 + profile->code.location_count, name);
}

static void write_dot(const char *legend)
{
    struct call_trim trim = {CALL_FUNCTION_FRACTION, CALL_EDGE_FRACTION, 80, CALL_BY_SELF};
    struct call_graph *graph = call_graph_new(profile, 1);
    struct call_tags tags;
    struct call_picture picture;
    call_tags_init(&tags, graph, 0);
    call_picture_init(&picture, graph, &trim, &tags);
    struct dot_drawing drawing = {graph, &picture, &tags, "nanoseconds", legend};
    dot_write(&drawing, &text);
    call_picture_fini(&picture);
    call_tags_fini(&tags);
    call_graph_free(graph);
}

static void check_has(const char *part)
{
    ck_assert_msg(strstr(text.data, part), "no %s in:\n%s", part, text.data);
}

static void check_lacks(const char *part)
{
    ck_assert_msg(!strstr(text.data, part), "%s in:\n%s", part, text.data);
}

START_TEST(functions_and_calls_are_drawn_as_pprof_draws_them)
{
    static const char legend[] = "File: a\nType: cpu\n";
    uint32_t start = location("main"), work = location("std::vector<int, A>::work(int)");
    uint32_t set = plain_with_text(profile, 0, "thread", "x");
    fixture_sample(profile, plain_stack(profile, (const uint32_t[]){work, start}, 2), set, 3,
                   30000000);
    fixture_sample(profile, plain_stack(profile, &start, 1), 0, 1, 10000000);
    write_dot(legend);
    check_has("label=\"File: a\\lType: cpu\\l\"");
    check_has("N1 [label=\"main\\n10ms (25.00%)\\nof 40ms (100%)\" id=\"node1\" fontsize=18 "
              "shape=box tooltip=\"main (40ms)\" color=\"#b20000\" fillcolor=\"#edd5d5\"]\n");
    check_has("N2 [label=\"std\\nvector<..>\\nwork\\n30ms (75.00%)\" id=\"node2\" fontsize=24 ");
    check_has("N1 -> N2 [label=\" 30ms\" weight=76 penwidth=4 color=\"#b20e00\" ");
    check_has("N2_0 [label=\"thread:x\" id=\"N2_0\" fontsize=8 shape=box3d tooltip=\"30ms\"]\n");
}
END_TEST

START_TEST(parts_of_names_have_lines)
{
    static const char legend[] = "";
    static const char *const cases[][2] = {
        {"runtime/pprof.Do", "label=\"pprof\\nDo\\n"},
        {"github.com/a/b.(*T).run", "label=\"b\\n(*T)\\nrun\\n"},
        {"ns::operator/(A, B)", "label=\"ns\\noperator/\\n"},
        {"operator.", "label=\"operator.\\n"},
        {"::", "label=\"\\n"},
        {"[libc.so.6]", "label=\"[libc.so.6]\\n"},
        {"libc.so.6+0x123", "label=\"libc.so.6+0x123\\n"},
        {"f.part.0", "label=\"f\\npart.0\\n"},
        {"/", "label=\"/\\n"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        uint32_t at = location(cases[i][0]);
        fixture_sample(profile, plain_stack(profile, &at, 1), 0, 1, 1000);
    }
    write_dot(legend);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check_has(cases[i][1]);
}
END_TEST

START_TEST(modules_have_tints_if_there_are_several)
{
    uint32_t bin = fixture_mapping(profile, "/bin/a", "", 0x10000);
    uint32_t at[] = {fixture_location(profile, bin, 0x10010, "work"),
                     fixture_location(profile, bin, 0x10020, "main"), 0};
    fixture_sample(profile, plain_stack(profile, at, 2), 0, 1, 1000);
    write_dot("");
    check_has("tooltip=\"work (1us)\" color=\"#b20000\" fillcolor=\"#edd5d5\"");
    check_lacks("M0");
    uint32_t lib = fixture_mapping(profile, "/lib/b.so", "", 0x30000);
    at[2] = fixture_location(profile, lib, 0x30010, "start");
    fixture_sample(profile, plain_stack(profile, at, 3), 0, 1, 1000);
    buf_clear(&text);
    write_dot("");
    check_has("tooltip=\"work (2us)\" color=\"#b20000\" fillcolor=\"#e8f0fa\"");
    check_has("fillcolor=\"#fdf1de\"]\n"); // start's
    check_has("M0 [label=\"a\" ");
    check_has("M1 [label=\"b.so\" ");
    check_lacks("M2");
}
END_TEST

START_TEST(no_name_leaves_its_quotes)
{
    static const char legend[] = "\"]; evil [label=\"<script>\\\n";
    uint32_t set = plain_with_text(profile, 0, "k\"]", "\\\"\x1b&lt;");
    uint32_t at[] = {location("a\"] bad [URL=\"javascript:alert(1)"), location("b\\"),
                     location("&nope; \\N \\E\n\xff\x1b[0m")};
    fixture_sample(profile, plain_stack(profile, at, 3), set, 1, 1000);
    write_dot(legend);
    for (const char *c = text.data; *c; c++) // every line but the last two is one statement
        ck_assert_msg((unsigned char)*c >= ' ' || *c == '\n', "control byte %d", *c);
    check_has("\\\"]; evil [label=\\\"<script>\\\\\\l\"");
    check_has("tooltip=\"a\\\"] bad [URL=\\\"javascript:alert(1) (1us)\"");
    check_has("label=\"b\\\\\\n");
    check_has("tooltip=\"b\u2216 (1us)\"");
    check_has("label=\"&amp;nope; \\\\N \\\\E\\\\x0a\\\\xff\\\\x1b[0m\\n");
    check_has("\"k\\\"]:\\\\\\\"\\\\x1b&amp;lt;\"");
    check_lacks("&nope");
    check_lacks("\\\" bad");
}
END_TEST

START_TEST(long_names_are_cut)
{
    static const char legend[] = "";
    AUTO_FREE char *name = xcalloc(1, 100001);
    memset(name, 'x', 100000);
    uint32_t at = location(name);
    fixture_sample(profile, plain_stack(profile, &at, 1), 0, 1, 1000);
    write_dot(legend);
    ck_assert_uint_lt(text.length, 2000);
    check_has("xxx...\\n1us (100%)");
}
END_TEST

Suite *suite_dot(void);
Suite *suite_dot(void)
{
    Suite *suite = suite_create("dot");
    TCase *tests = tcase_create("dot");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, functions_and_calls_are_drawn_as_pprof_draws_them);
    tcase_add_test(tests, parts_of_names_have_lines);
    tcase_add_test(tests, modules_have_tints_if_there_are_several);
    tcase_add_test(tests, no_name_leaves_its_quotes);
    tcase_add_test(tests, long_names_are_cut);
    suite_add_tcase(suite, tests);
    return suite;
}
