// SPDX-License-Identifier: MIT
// Graphs of functions as pprof counts them.
#include "rows/call_graph.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"

#define NS 1 // the value that is counted

static struct plain_profile *profile;
static struct call_graph *graph;
static struct { // of functions by name: one each
    char name[32];
    uint32_t location;
} known[64];
static size_t known_count;

static void set_up(void)
{
    profile = fixture_plain();
    graph = NULL;
    known_count = 0;
}

static void tear_down(void)
{
    call_graph_free(graph);
    plain_free(profile);
}

static uint32_t location_of(const char *name)
{
    for (size_t i = 0; i < known_count; i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].location;
    ck_assert_uint_lt(known_count, ARRAY_LENGTH(known));
    snprintf(known[known_count].name, sizeof known->name, "%s", name);
    known[known_count].location =
        fixture_location(profile, PLAIN_NONE, 0x100 + known_count, name);
    return known[known_count++].location;
}

// Adds ns to the stack whose functions are named from the root on.
static void add(const char *functions, int64_t ns)
{
    AUTO_FREE char *words = xstrdup(functions);
    uint32_t stack = 0;
    char *rest = words;
    for (char *word; (word = strtok_r(rest, " ", &rest));)
        stack = plain_child(profile, stack, location_of(word));
    fixture_sample(profile, stack, 0, 1, ns);
}

static uint32_t number_of(const char *name)
{
    for (uint32_t i = 0; i < graph->function_count; i++) {
        AUTO_BUF struct buf shown = {0};
        call_graph_name(graph, i, &shown);
        if (strcmp(shown.data, name) == 0)
            return i;
    }
    ck_abort_msg("there is no function %s", name);
}

static void check_costs(const char *name, int64_t self, int64_t total)
{
    const struct call_function *function = &graph->functions[number_of(name)];
    ck_assert_int_eq(function->self, self);
    ck_assert_int_eq(function->total, total);
}

static const struct call_edge *edge(const char *caller, const char *callee)
{
    uint32_t from = number_of(caller), to = number_of(callee);
    struct call_edges edges = call_graph_callees(graph, from);
    for (size_t i = 0; i < edges.count; i++)
        if (graph->edges[edges.list[i]].callee == to)
            return &graph->edges[edges.list[i]];
    return NULL;
}

START_TEST(recursion_counts_once_in_a_stack)
{
    add("main a b a b", 10);
    add("main a", 1);
    graph = call_graph_new(profile, NS);
    check_costs("main", 0, 11);
    check_costs("a", 1, 11);
    check_costs("b", 10, 10);
    ck_assert_int_eq(edge("a", "b")->weight, 10);
    ck_assert_int_eq(edge("b", "a")->weight, 10);
    ck_assert_int_eq(graph->all, 11);
}
END_TEST

START_TEST(a_function_does_not_call_itself)
{
    add("main a a a", 10);
    graph = call_graph_new(profile, NS);
    check_costs("a", 10, 10);
    ck_assert_ptr_null(edge("a", "a"));
    ck_assert_int_eq(edge("main", "a")->weight, 10);
}
END_TEST

START_TEST(functions_of_two_modules_are_one_if_they_have_one_name)
{
    uint32_t a = fixture_location(profile, fixture_mapping(profile, "/a", "", 0x1000), 1, "f");
    uint32_t b = fixture_location(profile, fixture_mapping(profile, "/b", "", 0x2000), 2, "f");
    fixture_sample(profile, plain_child(profile, 0, a), 0, 1, 10);
    fixture_sample(profile, plain_child(profile, 0, b), 0, 1, 20);
    graph = call_graph_new(profile, NS);
    ck_assert_uint_eq(graph->function_count, 1);
    check_costs("f", 30, 30);
}
END_TEST

START_TEST(code_without_names_is_its_module)
{
    uint32_t a = fixture_mapping(profile, "/lib/a.so", "", 0x1000);
    uint32_t lone = plain_add_location(profile, PLAIN_NONE, 7, NULL, 0);
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t location = plain_add_location(profile, a, 0x1000 + i, NULL, 0);
        fixture_sample(profile, plain_child(profile, 0, location), 0, 1, 10);
    }
    fixture_sample(profile, plain_child(profile, 0, lone), 0, 1, 5);
    graph = call_graph_new(profile, NS);
    check_costs("[a.so]", 20, 20);
    check_costs("<unknown>", 5, 5);
}
END_TEST

// f was inlined into g, which main calls; or main calls f itself.
static void add_inlined(int64_t ns)
{
    struct plain_line lines[] = {
        {plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "f")}),
         1, 0},
        {plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "g")}),
         2, 0},
    };
    uint32_t both = plain_add_location(profile, PLAIN_NONE, 0x99, lines, 2);
    uint32_t main = plain_child(profile, 0, location_of("main"));
    fixture_sample(profile, plain_child(profile, main, both), 0, 1, ns);
}

START_TEST(inlined_calls_are_told_apart)
{
    add_inlined(10);
    add("main f", 1);
    graph = call_graph_new(profile, NS);
    check_costs("f", 11, 11);
    check_costs("g", 0, 10);
    ck_assert(edge("g", "f")->inlined);
    ck_assert(!edge("main", "f")->inlined);
    ck_assert(!edge("main", "g")->inlined);
    ck_assert_uint_eq(call_graph_callers(graph, number_of("f")).count, 2);
}
END_TEST

START_TEST(calls_through_dropped_functions_are_residual)
{
    add("main a b c", 10);
    add("main a b", 5);
    graph = call_graph_new(profile, NS);
    bool kept[] = {true, true, true, true};
    kept[number_of("b")] = false;
    call_graph_keep(graph, kept);
    ck_assert(edge("a", "c")->residual);
    ck_assert_int_eq(edge("a", "c")->weight, 10);
    ck_assert(!edge("main", "a")->residual);
    check_costs("a", 0, 15); // what b has itself is nobody's
    check_costs("b", 0, 0);
    ck_assert(!graph->functions[number_of("b")].shown);
    ck_assert_uint_eq(graph->shown, 3);
}
END_TEST

START_TEST(differences_may_be_below_zero)
{
    add("main a", -30);
    add("main b", 10);
    add("main c d", 5);
    add("main c e", -5);
    graph = call_graph_new(profile, NS);
    ck_assert_int_eq(graph->all, 50);
    check_costs("main", 0, -20);
    check_costs("a", -30, -30);
    check_costs("c", 0, 0);
    ck_assert(!graph->functions[number_of("c")].shown);
    ck_assert_int_eq(edge("main", "c")->weight, 0);
    call_graph_sort(graph, CALL_BY_SELF);
    ck_assert_uint_eq(graph->order[0], number_of("a"));
}
END_TEST

START_TEST(a_base_is_the_whole_of_a_difference)
{
    uint32_t base = plain_with_text(profile, 0, "pprof::base", "true");
    add("main a", 30);
    fixture_sample(profile, plain_child(profile, 0, location_of("main")), base, 1, -20);
    ck_assert_int_eq(call_graph_all(profile, NS), 20);
}
END_TEST

START_TEST(what_costs_little_is_dropped)
{
    add("main hot", 990);
    add("main warm", 6);
    add("main warm cold", 4);
    graph = call_graph_new(profile, NS);
    call_graph_trim(graph, &(struct call_trim){CALL_FUNCTION_FRACTION, CALL_EDGE_FRACTION, 0,
                                               CALL_BY_TOTAL});
    ck_assert_uint_eq(graph->dropped.functions, 1);
    ck_assert_uint_eq(graph->shown, 3);
    ck_assert_uint_eq(graph->order[0], number_of("main"));
    ck_assert_uint_eq(graph->order[1], number_of("hot"));
    check_costs("warm", 6, 10);
}
END_TEST

START_TEST(only_so_many_are_kept)
{
    add("main a b", 3);
    add("main a", 2);
    add("main c b", 1);
    graph = call_graph_new(profile, NS);
    call_graph_trim(graph, &(struct call_trim){0, 0, 2, CALL_BY_SELF});
    ck_assert_uint_eq(graph->shown, 2);
    ck_assert_uint_eq(graph->order[0], number_of("b"));
    ck_assert_uint_eq(graph->order[1], number_of("a"));
    ck_assert_uint_eq(graph->dropped.beyond_count, 2);
    ck_assert_int_eq(edge("a", "b")->weight, 3);
    ck_assert_uint_eq(call_graph_callers(graph, number_of("b")).count, 1);
}
END_TEST

START_TEST(edges_stand_by_weight_and_light_ones_are_dropped)
{
    add("main x", 1);
    add("main z", 5);
    add("main y", 5);
    graph = call_graph_new(profile, NS);
    struct call_edges edges = call_graph_callees(graph, number_of("main"));
    const char *const names[] = {"y", "z", "x"};
    ck_assert_uint_eq(edges.count, ARRAY_LENGTH(names));
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        ck_assert_uint_eq(graph->edges[edges.list[i]].callee, number_of(names[i]));
    ck_assert_uint_eq(call_graph_drop_edges(graph, 2), 1);
    ck_assert_uint_eq(call_graph_callees(graph, number_of("main")).count, 2);
}
END_TEST

START_TEST(a_profile_of_nothing_has_no_graph)
{
    graph = call_graph_new(profile, NS);
    call_graph_trim(graph, &(struct call_trim){0.5, 0.5, 3, CALL_BY_SELF});
    ck_assert_uint_eq(graph->shown, 0);
    ck_assert_int_eq(graph->all, 0);
}
END_TEST

Suite *suite_call_graph(void);

Suite *suite_call_graph(void)
{
    TCase *tests = tcase_create("call_graph");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, recursion_counts_once_in_a_stack);
    tcase_add_test(tests, a_function_does_not_call_itself);
    tcase_add_test(tests, functions_of_two_modules_are_one_if_they_have_one_name);
    tcase_add_test(tests, code_without_names_is_its_module);
    tcase_add_test(tests, inlined_calls_are_told_apart);
    tcase_add_test(tests, calls_through_dropped_functions_are_residual);
    tcase_add_test(tests, differences_may_be_below_zero);
    tcase_add_test(tests, a_base_is_the_whole_of_a_difference);
    tcase_add_test(tests, what_costs_little_is_dropped);
    tcase_add_test(tests, only_so_many_are_kept);
    tcase_add_test(tests, edges_stand_by_weight_and_light_ones_are_dropped);
    tcase_add_test(tests, a_profile_of_nothing_has_no_graph);
    Suite *suite = suite_create("call_graph");
    suite_add_tcase(suite, tests);
    return suite;
}
