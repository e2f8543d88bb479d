// SPDX-License-Identifier: MIT
// What of a call graph a picture shows, and what functions have of each tag. The expected choices
// are those of `go tool pprof -dot`.
#include "rows/call_picture.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"

#define NS 1 // the value that is counted

static struct plain_profile *profile;
static struct call_graph *graph;
static struct call_picture picture;
static struct call_tags tags;
static uint32_t locations[128]; // of functions "a", "b" ..., by letter

static void set_up(void)
{
    profile = fixture_plain();
    graph = NULL;
    picture = (struct call_picture){0};
    tags = (struct call_tags){0};
    for (char letter = 'a'; letter <= 'z'; letter++)
        locations[(int)letter] = fixture_location(profile, PLAIN_NONE, 0x100u + (unsigned)letter,
                                                  (char[]){letter, '\0'});
}

static void tear_down(void)
{
    call_picture_fini(&picture);
    if (tags.first)
        call_tags_fini(&tags);
    call_graph_free(graph);
    plain_free(profile);
}

// Adds ns to the stack whose functions are named from the root on, a letter each.
static void add(const char *functions, uint32_t set, int64_t ns)
{
    uint32_t stack = 0;
    for (; *functions; functions++)
        stack = plain_child(profile, stack, locations[(int)*functions]);
    fixture_sample(profile, stack, set, 1, ns);
}

static uint32_t thread(const char *name)
{
    return plain_with_text(profile, 0, "thread", name);
}

static void choose(size_t count, bool with_tags)
{
    struct call_trim trim = {CALL_FUNCTION_FRACTION, CALL_EDGE_FRACTION, count, CALL_BY_SELF};
    graph = call_graph_new(profile, NS);
    call_tags_init(&tags, graph, call_graph_fraction(graph, trim.function_fraction));
    call_picture_init(&picture, graph, &trim, with_tags ? &tags : NULL);
}

static char letter_of(uint32_t function)
{
    AUTO_BUF struct buf name = {0};
    call_graph_name(graph, function, &name);
    return *name.data;
}

static void check_functions(const char *letters)
{
    char found[128] = "";
    for (size_t i = 0; i < picture.count; i++)
        found[i] = letter_of(picture.functions[i]);
    ck_assert_str_eq(found, letters);
}

// "ab=5 bc~3": calls, heaviest first; "~" is a residual one.
static void check_edges(const char *expected)
{
    AUTO_BUF struct buf found = {0};
    buf_puts(&found, "");
    for (size_t i = 0; i < picture.edge_count; i++) {
        const struct call_edge *edge = &graph->edges[picture.edges[i]];
        buf_printf(&found, "%s%c%c%c%lld", i ? " " : "", letter_of(edge->caller),
                   letter_of(edge->callee), edge->residual ? '~' : '=', (long long)edge->weight);
    }
    ck_assert_str_eq(found.data, expected);
}

START_TEST(functions_where_ways_part_come_first)
{
    add("abc", 0, 50);
    add("abd", 0, 50);
    add("abe", 0, 50);
    add("awz", 0, 10);
    choose(80, false);
    check_functions("bacdezw"); // w only hands on
    check_edges("ab=150 bc=50 bd=50 be=50 aw=10 wz=10");
}
END_TEST

START_TEST(what_costs_little_is_dropped_and_calls_go_past_it)
{
    add("abc", 0, 1000);
    add("ad", 0, 4);
    add("aefg", 0, 3);
    choose(80, false);
    ck_assert_uint_eq(picture.dropped_functions, 4); // below 5 of 1007
    ck_assert_uint_eq(picture.candidates, 3);
    check_edges("ab=1000 bc=1000");
}
END_TEST

// b only hands on, and there is no room for it.
START_TEST(a_residual_edge_goes_where_there_is_another_way)
{
    add("abc", 0, 30);
    add("axc", 0, 500);
    add("ax", 0, 300);
    choose(3, false);
    check_functions("cxa");
    check_edges("ax=800 xc=500");
}
END_TEST

START_TEST(a_residual_edge_stays_where_it_is_the_only_way)
{
    add("abc", 0, 30);
    add("ax", 0, 500);
    choose(3, false);
    check_functions("xac");
    check_edges("ax=500 ac~30");
}
END_TEST

START_TEST(tags_take_the_place_of_functions)
{
    for (char letter = 'b'; letter < 'l'; letter++)
        for (int i = 0; i < 6; i++)
            add((char[]){'a', letter, '\0'}, thread((char[]){(char)('0' + i), '\0'}), 10);
    choose(20, true);
    ck_assert_uint_eq(picture.count, 5); // five places each, but for a, which has no own cost
    ck_assert_uint_eq(picture.candidates, 11);
}
END_TEST

static const struct call_tag *tag(char letter, const char *text)
{
    for (uint32_t i = 0; i < graph->function_count; i++)
        for (uint32_t k = tags.first[i]; letter_of(i) == letter && k < tags.first[i + 1]; k++)
            if (strcmp(strtab_get(&tags.texts, tags.list[k].text), text) == 0)
                return &tags.list[k];
    ck_abort_msg("%c has no tag %s", letter, text);
}

START_TEST(tags_have_what_their_samples_have)
{
    uint32_t one = plain_with_text(profile, thread("one"), "state", "run");
    add("aba", one, 7);
    add("ab", one, 5);
    add("ab", thread("two"), 2);
    add("b", plain_with_number(profile, 0, "tid", 5), 1);
    choose(80, true);
    ck_assert_int_eq(tag('a', "state:run\nthread:one")->self, 7);
    ck_assert_int_eq(tag('a', "state:run\nthread:one")->total, 12);
    ck_assert_int_eq(tag('b', "state:run\nthread:one")->self, 5);
    ck_assert_int_eq(tag('b', "thread:two")->total, 2);
    ck_assert_uint_eq(tags.first[graph->function_count], 4);
}
END_TEST

START_TEST(sizes_are_tags)
{
    struct plain_label label = {.key = plain_text(profile, "bytes"), .number = 2048};
    add("ab", plain_with_label(profile, 0, label), 9);
    choose(80, true);
    const struct call_tag *size = tag('b', "");
    ck_assert_str_eq(strtab_get(&tags.texts, size->number), "2kB");
    ck_assert_int_eq(size->self, 9);
}
END_TEST

START_TEST(endless_labels_make_short_tags)
{
    char text[4096] = "";
    uint32_t set = 0;
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 100; i++) {
        AUTO_FREE char *key = xasprintf("%d%s", i, text);
        set = plain_with_text(profile, set, key, text);
    }
    add("a", set, 1);
    choose(80, true);
    size_t length = strlen(strtab_get(&tags.texts, tags.list[0].text));
    ck_assert_uint_gt(length, 1000);
    ck_assert_uint_lt(length, 4096);
}
END_TEST

START_TEST(an_empty_profile_has_an_empty_picture)
{
    choose(80, true);
    check_functions("");
    check_edges("");
}
END_TEST

Suite *suite_call_picture(void);
Suite *suite_call_picture(void)
{
    Suite *suite = suite_create("call_picture");
    TCase *tests = tcase_create("call_picture");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, functions_where_ways_part_come_first);
    tcase_add_test(tests, what_costs_little_is_dropped_and_calls_go_past_it);
    tcase_add_test(tests, a_residual_edge_goes_where_there_is_another_way);
    tcase_add_test(tests, a_residual_edge_stays_where_it_is_the_only_way);
    tcase_add_test(tests, tags_take_the_place_of_functions);
    tcase_add_test(tests, tags_have_what_their_samples_have);
    tcase_add_test(tests, sizes_are_tags);
    tcase_add_test(tests, endless_labels_make_short_tags);
    tcase_add_test(tests, an_empty_profile_has_an_empty_picture);
    suite_add_tcase(suite, tests);
    return suite;
}
