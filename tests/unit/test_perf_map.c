// SPDX-License-Identifier: MIT
#include "process/perf_map.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct perf_map *map;

static void set_up(void)
{
    map = perf_map_new();
}

static void tear_down(void)
{
    perf_map_free(map);
}

static size_t parse(const char *text)
{
    return perf_map_parse(map, text, strlen(text));
}

static void assert_name(uint64_t address, size_t known, const char *name, uint64_t inside)
{
    uint64_t offset = 0;
    const char *found = perf_map_find(map, address, known, &offset);
    if (!name) {
        ck_assert_ptr_null(found);
        return;
    }
    ck_assert_ptr_nonnull(found);
    ck_assert_str_eq(found, name);
    ck_assert_uint_eq(offset, inside);
}

START_TEST(lines)
{
    const char *text = "3ef414c0 398 RegExp:[{(]\n3ef418a0 398 JS:*f a b.js:1:2\n"
                       "0x7f0000001000 0x20 with a prefix\n7F00";
    ck_assert_uint_eq(parse(text), strlen(text) - 4);
    ck_assert_uint_eq(perf_map_count(map), 3);
    assert_name(0x3ef414c0, SIZE_MAX, "RegExp:[{(]", 0);
    assert_name(0x3ef414c0 + 0x397, SIZE_MAX, "RegExp:[{(]", 0x397);
    assert_name(0x3ef414c0 + 0x398, SIZE_MAX, NULL, 0);
    assert_name(0x3ef418a1, SIZE_MAX, "JS:*f a b.js:1:2", 1);
    assert_name(0x7f000000101f, SIZE_MAX, "with a prefix", 31);
    assert_name(0x3ef414bf, SIZE_MAX, NULL, 0);
    assert_name(0, SIZE_MAX, NULL, 0);
}
END_TEST

START_TEST(lines_that_are_none)
{
    static const char *const wrong[] = {
        "",          "\n",          "1000\n",       "1000 10\n",    "1000 10 \n", "1000 0 zero\n",
        "x 10 a\n",  "1000 y a\n",  " 1000 10 a\n", "-1 10 a\n",    "1000  10 a\n",
        "10000000000000000 10 a\n", "ffffffffffffffff 10 a\n",      "1000 ffffffffffff a\n",
        "1000 10\ta\n",             "# comment\n",
    };
    for (size_t i = 0; i < ARRAY_LENGTH(wrong); i++)
        parse(wrong[i]);
    perf_map_parse(map, "1000 10 \0a\n", 11);
    ck_assert_uint_eq(perf_map_count(map), 0);
}
END_TEST

START_TEST(later_entries_win)
{
    parse("1000 100 old\n1080 10 inner\n");
    assert_name(0x1085, SIZE_MAX, "inner", 5);
    assert_name(0x1090, SIZE_MAX, "old", 0x90);
    parse("1040 2000 new\n");
    assert_name(0x1085, SIZE_MAX, "new", 0x45);
    assert_name(0x103f, SIZE_MAX, "old", 0x3f);
    assert_name(0x2fff, SIZE_MAX, "new", 0x1fbf);
    assert_name(0x1085, 2, "inner", 5); // as it was then
    assert_name(0x1085, 1, "old", 0x85);
    assert_name(0x1085, 0, NULL, 0);
}
END_TEST

START_TEST(what_is_said_twice)
{
    for (int i = 0; i < 3; i++)
        parse("1000 100 a\n2000 100 b\n");
    ck_assert_uint_eq(perf_map_count(map), 2);
    ck_assert_uint_eq(perf_map_moved(map), SIZE_MAX);
}
END_TEST

START_TEST(names_that_move)
{
    parse("1000 100 a\n2000 100 b\n");
    parse("1000 80 other\n"); // nobody had run there
    ck_assert_uint_eq(perf_map_moved(map), SIZE_MAX);
    perf_map_use(map, 0x2010);
    perf_map_use(map, 0x9999);
    parse("2000 100 b\n2000 80 b\n5000 10 c\n"); // the same name
    ck_assert_uint_eq(perf_map_moved(map), SIZE_MAX);
    parse("20ff 1 d\n");
    ck_assert_uint_eq(perf_map_moved(map), 5);
    ck_assert_uint_eq(perf_map_moved(map), SIZE_MAX);
    assert_name(0x20ff, 5, "b", 0xff);
    assert_name(0x20ff, SIZE_MAX, "d", 0);
}
END_TEST

START_TEST(long_names_and_large_code)
{
    AUTO_FREE char *name = xcalloc(1, 10000);
    memset(name, 'n', 9999);
    AUTO_FREE char *line = xasprintf("1000 4000000 %s\n", name);
    ck_assert_uint_eq(parse(line), strlen(line));
    uint64_t offset;
    const char *found = perf_map_find(map, 0x4000fff, SIZE_MAX, &offset);
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(strlen(found), 4096);
    ck_assert_uint_eq(parse("1000 4000001 too large\n"), 23);
    ck_assert_uint_eq(perf_map_count(map), 1);
}
END_TEST

Suite *suite_perf_map(void);
Suite *suite_perf_map(void)
{
    Suite *suite = suite_create("perf_map");
    TCase *test = tcase_create("perf_map");
    tcase_add_checked_fixture(test, set_up, tear_down);
    tcase_add_test(test, lines);
    tcase_add_test(test, lines_that_are_none);
    tcase_add_test(test, later_entries_win);
    tcase_add_test(test, what_is_said_twice);
    tcase_add_test(test, names_that_move);
    tcase_add_test(test, long_names_and_large_code);
    suite_add_tcase(suite, test);
    return suite;
}
