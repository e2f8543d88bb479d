// SPDX-License-Identifier: MIT
// Which frames and samples filters take: hide, show, tags, and what a file itself wants dropped.
#include "profile/plain_filter.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"
#include "profile/plain_prune.h"
#include "profile/plain_tags.h"
#include "rows/call_graph.h"

static struct plain_profile *profile, *part;
static uint32_t lib;

static void set_up(void)
{
    profile = fixture_plain();
    part = NULL;
    lib = fixture_mapping(profile, "/lib/b.so", "", 0x30000);
}

static void tear_down(void)
{
    plain_free(profile);
    plain_free(part);
}

// Returns a new location of functions, the innermost first, with blanks between them.
static uint32_t location(const char *functions, uint32_t mapping)
{
    struct plain_line lines[8];
    size_t count = 0;
    AUTO_FREE char *words = xstrdup(functions);
    char *rest = words;
    for (char *word; (word = strtok_r(rest, " ", &rest)); count++) {
        struct plain_function function = {.name = plain_text(profile, word)};
        lines[count] = (struct plain_line){plain_add_function(profile, function), 7, 0};
    }
    return plain_add_location(profile, mapping, 0x30000 + profile->code.location_count, lines,
                              count);
}

// Adds a sample of three locations, the root first: "main", what was inlined where, and the leaf.
static void add_stack(const char *inlined, uint32_t leaf, uint32_t labels, int64_t ns)
{
    uint32_t stack = plain_child(profile, 0, location("main", PLAIN_NONE));
    stack = plain_child(profile, stack, location(inlined, PLAIN_NONE));
    fixture_sample(profile, plain_child(profile, stack, leaf), labels, 1, ns);
}

// Writes stacks as "main a b;main c", the root first.
static void check_stacks(const struct plain_profile *of, const char *wanted)
{
    AUTO_BUF struct buf text = {0};
    struct call_graph *graph = call_graph_functions(of, 1);
    for (uint32_t i = 0; i < of->samples.count; i++) {
        AUTO_FREE char *after = xstrdup("");
        uint32_t node = of->samples.list[i].stack;
        for (; node; node = of->stacks.nodes[node].parent) {
            struct call_span span = call_graph_location(graph, of->stacks.nodes[node].location);
            for (size_t k = span.count; k-- > 0;) {
                AUTO_BUF struct buf name = {0};
                call_graph_name(graph, span.functions[k], &name);
                char *longer = xasprintf("%s%s%s", name.data, *after ? " " : "", after);
                free(after);
                after = longer;
            }
        }
        buf_printf(&text, "%s%s", i ? ";" : "", after);
    }
    call_graph_free(graph);
    ck_assert_str_eq(text.length ? text.data : "", wanted);
}

static void check_part(struct plain_filter filter, const char *wanted)
{
    struct err err = {0};
    ck_assert_msg(plain_filter(profile, &filter, &part, &err) == RC_OK, "%s", err.text);
    check_stacks(part, wanted);
    plain_free(part);
    part = NULL;
}

START_TEST(frames_are_hidden_and_shown)
{
    add_stack("deep mid", location("leaf", lib), 0, 10);
    add_stack("other", plain_add_location(profile, lib, 0x30999, NULL, 0), 0, 20);
    check_part((struct plain_filter){.hide = "nothing"}, "main mid deep leaf;main other [b.so]");
    check_part((struct plain_filter){.hide = "^deep$"}, "main mid leaf;main other [b.so]");
    check_part((struct plain_filter){.hide = "mid|deep"}, "main leaf;main other [b.so]");
    check_part((struct plain_filter){.hide = "b\\.so"}, "main mid deep;main other");
    check_part((struct plain_filter){.show = "main|deep"}, "main deep;main");
    check_part((struct plain_filter){.show = "b\\.so"}, "leaf"); // code without lines is not shown
    check_part((struct plain_filter){.show = "d", .hide = "deep"}, "mid");
    check_part((struct plain_filter){.focus = "deep", .hide = "deep"}, "main mid leaf");
    check_part((struct plain_filter){.ignore = "other", .hide = "main"}, "mid deep leaf");
    check_part((struct plain_filter){.show = "nothing"}, "");
}
END_TEST

START_TEST(what_is_hidden_is_its_callers)
{
    add_stack("mid", location("leaf", lib), 0, 10);
    ck_assert_int_eq(plain_filter(profile, &(struct plain_filter){.hide = "leaf"}, &part, NULL),
                     RC_OK);
    struct call_graph *graph = call_graph_functions(part, 1);
    call_graph_sort(graph, CALL_BY_SELF);
    AUTO_BUF struct buf name = {0};
    call_graph_name(graph, graph->order[0], &name);
    ck_assert_str_eq(name.data, "mid");
    ck_assert_int_eq(graph->functions[graph->order[0]].self, 10);
    call_graph_free(graph);
}
END_TEST

static uint32_t with_number(uint32_t set, const char *key, int64_t number, const char *unit)
{
    struct plain_label label = {.key = plain_text(profile, key), .number = number,
                                .unit = plain_text(profile, unit)};
    return plain_with_label(profile, set, label);
}

START_TEST(tags_are_chosen_as_pprof_does)
{
    uint32_t one = plain_with_text(profile, 0, "thread", "main"), two;
    one = with_number(one, "bytes", 4096, "bytes");
    two = plain_with_text(profile, 0, "thread", "worker 1");
    two = with_number(two, "bytes", 100, "bytes");
    two = with_number(two, "tid", 7, "");
    add_stack("a", location("x", lib), one, 10);
    add_stack("b", location("y", lib), two, 20);
    add_stack("c", location("z", lib), 0, 30);
    const char *const first = "main a x", *const second = "main b y", *const last = "main c z";
    AUTO_FREE char *labelled = xasprintf("%s;%s", first, second);
    AUTO_FREE char *rest = xasprintf("%s;%s", second, last);
    const struct {
        const char *tag, *wanted;
    } cases[] = {
        {"thread=main", first},     {"thread=w.*1$", second},    {"thread=x,m", first},
        {"thread:main", first},     {"thread:,w", second},       {"thread=", labelled},
        {"bytes=4kb", first},       {"bytes=4096b", first},      {"bytes=4096", ""},
        {"bytes=1kb:", first},      {"bytes=:1kb", second},      {"bytes=100b:4kb", labelled},
        {"bytes=1mb:", ""},         {"4kb", first},              {":4kb", labelled},
        {"tid=7", second},          {"tid=8:", ""},              {"tid=-1:10", second},
        {"tid=1s:", second},            {"nothing=x", ""},           {"7x", second},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check_part((struct plain_filter){.tag_focus = cases[i].tag}, cases[i].wanted);
    check_part((struct plain_filter){.tag_ignore = "thread=main"}, rest);
    check_part((struct plain_filter){.tag_ignore = "bytes=:1mb"}, last);
    check_part((struct plain_filter){.tag_focus = "thread=", .tag_ignore = "tid=7"}, first);
}
END_TEST

START_TEST(bad_tags_are_refused)
{
    static const char *const bad[] = {"thread=(", "(", "bytes=99999999999999999999kb"};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        struct err err = {0};
        ck_assert_int_eq(plain_filter(profile, &(struct plain_filter){.tag_focus = bad[i]}, &part,
                                      &err), RC_USAGE);
        ck_assert_ptr_null(part);
        ck_assert(*err.text);
    }
}
END_TEST

static void check_pruned(const char *drop, const char *keep, const char *wanted)
{
    profile->drop_frames = plain_text(profile, drop);
    profile->keep_frames = plain_text(profile, keep);
    ck_assert_int_eq(plain_prune(profile, &part, NULL), RC_OK);
    check_stacks(part ? part : profile, wanted);
    plain_free(part);
    part = NULL;
}

START_TEST(a_file_says_what_it_wants_dropped)
{
    add_stack("deep mid", location("leaf(int)", lib), 0, 10);
    check_pruned("", "", "main mid deep leaf(int)");
    check_pruned("leaf", "", "main mid deep");
    check_pruned("lea", "", "main mid deep leaf(int)"); // the whole name has to match
    check_pruned("l.*", "leaf", "main mid deep leaf(int)");
    check_pruned("deep", "", "main mid");
    check_pruned("mid", "", "main");
    check_pruned("main", "", "main mid deep leaf(int)"); // no stack becomes empty
    check_pruned("main|leaf", "", "main mid deep");
}
END_TEST

START_TEST(a_file_that_cannot_say_it_is_refused)
{
    struct err err = {0};
    profile->drop_frames = plain_text(profile, "(\x1b");
    ck_assert_int_eq(plain_prune(profile, &part, &err), RC_FORMAT);
    ck_assert_ptr_null(part);
    ck_assert_ptr_null(strchr(err.text, '\x1b'));
}
END_TEST

Suite *suite_filter(void);

Suite *suite_filter(void)
{
    TCase *tests = tcase_create("filter");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, frames_are_hidden_and_shown);
    tcase_add_test(tests, what_is_hidden_is_its_callers);
    tcase_add_test(tests, tags_are_chosen_as_pprof_does);
    tcase_add_test(tests, bad_tags_are_refused);
    tcase_add_test(tests, a_file_says_what_it_wants_dropped);
    tcase_add_test(tests, a_file_that_cannot_say_it_is_refused);
    Suite *suite = suite_create("filter");
    suite_add_tcase(suite, tests);
    return suite;
}
