// SPDX-License-Identifier: MIT
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_plain.h"
#include "output/flame.h"

#define OWN_MOST (100u << 10) // bytes of a page beside its data
#define DATA "id=\"data\">"
#define HOSTILE "</script><script>document.title='owned'</script>\"><img onerror=x>&\x1b[2J\xff"

typedef enum rc maker(const struct flame_request *request, FILE *out, struct err *err);

static struct plain_profile *profile;
static uint32_t mapping;

static void set_up(void)
{
    profile = fixture_plain();
    mapping = fixture_mapping(profile, "/usr/bin/app", "0123", 0x1000);
}

static void tear_down(void)
{
    plain_free(profile);
}

static struct flame_request request_of(const struct plain_profile *drawn)
{
    return (struct flame_request){
        .profile = drawn, .profile_name = "a.pb.gz", .title = "title", .value = 1};
}

static char *draw(maker *make, const struct flame_request *request)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    struct err err = {0};
    ck_assert_msg(make(request, out, &err) == RC_OK, "%s", err.text);
    fclose(out);
    return text;
}

static char *page_of(const struct plain_profile *drawn)
{
    struct flame_request request = request_of(drawn);
    return draw(flame_page_write, &request);
}

// Returns the data of a page, parsed.
static json_t *data_of(const char *page)
{
    const char *begin = strstr(page, DATA);
    ck_assert_ptr_nonnull(begin);
    begin += strlen(DATA);
    json_error_t error;
    json_t *data = json_loadb(begin, (size_t)(strstr(begin, "</script>") - begin), 0, &error);
    ck_assert_msg(data, "%s", error.text);
    return data;
}

static json_int_t number(const json_t *data, const char *table, const char *column, size_t i)
{
    return json_integer_value(
        json_array_get(json_object_get(json_object_get(data, table), column), i));
}

static const char *text(const json_t *data, json_int_t i)
{
    return json_string_value(json_array_get(json_object_get(data, "texts"), (size_t)i));
}

static const char *frame_name(const json_t *data, size_t cell)
{
    json_int_t frame = number(data, "cells", "frame", cell);
    return text(data, number(data, "frames", "name", (size_t)frame));
}

static json_int_t value(const json_t *data, size_t side, size_t type, size_t sample)
{
    const json_t *values = json_object_get(
        json_array_get(json_object_get(data, "samples"), side), "values");
    return json_integer_value(json_array_get(json_array_get(values, type), sample));
}

static uint32_t stack_of(struct plain_profile *into, const uint32_t *root_first, size_t count)
{
    uint32_t node = 0;
    for (size_t i = 0; i < count; i++)
        node = plain_child(into, node, root_first[i]);
    return node;
}

START_TEST(own_bytes_are_few)
{
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    ck_assert_uint_le(strlen(page), OWN_MOST);
    ck_assert_ptr_null(strstr(page, "{{"));
    ck_assert_ptr_null(strstr(page, "http:"));
    ck_assert_ptr_null(strstr(page, "https:"));
    ck_assert_ptr_null(strstr(page, "innerHTML"));
    json_decref(data);
}
END_TEST

START_TEST(cells_are_functions_below_callers)
{
    uint32_t main_at = fixture_location(profile, mapping, 0x1010, "main");
    uint32_t work = fixture_location(profile, mapping, 0x1020, "work");
    uint32_t rest = fixture_location(profile, mapping, 0x1030, "rest");
    fixture_sample(profile, stack_of(profile, (uint32_t[]){main_at, rest}, 2), 0, 1, 10);
    fixture_sample(profile, stack_of(profile, (uint32_t[]){main_at, work}, 2), 0, 3, 30);
    fixture_sample(profile, stack_of(profile, (uint32_t[]){main_at, work, work}, 3), 0, 2, 20);
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    static const struct {
        const char *name;
        json_int_t kids;
    } cells[] = {{NULL, 1}, {"main", 2}, {"work", 1}, {"rest", 0}, {"work", 0}};
    for (size_t i = 0; i < ARRAY_LENGTH(cells); i++) {
        ck_assert_int_eq(number(data, "cells", "kids", i), cells[i].kids);
        if (cells[i].name)
            ck_assert_str_eq(frame_name(data, i), cells[i].name);
    }
    ck_assert_int_eq(number(data, "cells", "place", 2), 0);
    ck_assert_int_eq(number(data, "cells", "place", 4), 4); // work is in this stack again
    ck_assert_int_eq(json_integer_value(json_object_get(data, "shown")), 1);
    ck_assert_int_eq(value(data, 0, 0, 1), 3);
    ck_assert_int_eq(value(data, 0, 1, 1), 30);
    json_decref(data);
}
END_TEST

// Two addresses of one function are one cell, with the line that has more.
START_TEST(addresses_of_a_function_are_one_cell)
{
    uint32_t function = plain_add_function(
        profile, (struct plain_function){.name = plain_text(profile, "work"),
                                         .file = plain_text(profile, "work.c")});
    for (int i = 0; i < 2; i++) {
        struct plain_line line = {.function = function, .line = i ? 11 : 22};
        uint32_t at = plain_add_location(profile, mapping, 0x1010 + i, &line, 1);
        fixture_sample(profile, plain_child(profile, 0, at), 0, 1, i ? 10 : 20);
    }
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    ck_assert_int_eq(number(data, "cells", "kids", 0), 1);
    ck_assert_int_eq(number(data, "frames", "place", 0), 22 << 3 | 2); // one of several lines
    ck_assert_int_eq(value(data, 0, 1, 0), 30);
    ck_assert_int_eq(value(data, 0, 1, 1), 0); // there is no second sample
    json_decref(data);
}
END_TEST

START_TEST(inlined_functions_are_cells)
{
    struct plain_line lines[2];
    for (int i = 0; i < 2; i++)
        lines[i] = (struct plain_line){.function = plain_add_function(
            profile, (struct plain_function){.name = plain_text(profile, i ? "outer" : "inner")})};
    uint32_t at = plain_add_location(profile, mapping, 0x1010, lines, 2);
    fixture_sample(profile, plain_child(profile, 0, at), 0, 1, 10);
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    ck_assert_str_eq(frame_name(data, 1), "outer");
    ck_assert_str_eq(frame_name(data, 2), "inner");
    ck_assert_int_eq(number(data, "frames", "place", 0), 0);
    ck_assert_int_eq(number(data, "frames", "place", 1), 1);
    json_decref(data);
}
END_TEST

START_TEST(hues_are_of_modules_or_else_of_functions)
{
    static const char *const names[] = {"main", "work", "[unattributed]"};
    for (int i = 0; i < 3; i++) {
        uint32_t at = fixture_location(profile, i ? PLAIN_NONE : mapping, 0x1010 + i, names[i]);
        fixture_sample(profile, plain_child(profile, 0, at), 0, 1, 30 - i);
    }
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    ck_assert_int_lt(number(data, "frames", "color", 0), 12);
    ck_assert_int_lt(number(data, "frames", "color", 1), 12);
    ck_assert_int_eq(number(data, "frames", "color", 2), 12); // grey
    json_decref(data);
}
END_TEST

START_TEST(labels_are_kept)
{
    uint32_t at = fixture_location(profile, mapping, 0x1010, "main");
    uint32_t set = plain_with_text(profile, 0, "thread", HOSTILE);
    set = plain_with_number(profile, set, "tid", -7);
    fixture_sample(profile, plain_child(profile, 0, at), set, 1, 10);
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    const json_t *labels = json_array_get(json_object_get(data, "sets"), 0);
    ck_assert_uint_eq(json_array_size(labels), 2);
    json_int_t tid = json_integer_value(json_array_get(labels, 0));
    json_int_t thread = json_integer_value(json_array_get(labels, 1));
    ck_assert_str_eq(text(data, number(data, "labels", "key", (size_t)tid)), "tid");
    ck_assert_str_eq(text(data, number(data, "labels", "text", (size_t)tid)), "-7");
    ck_assert_ptr_nonnull(strstr(text(data, number(data, "labels", "text", (size_t)thread)),
                                 "</script>"));
    json_decref(data);
}
END_TEST

static void fill_hostile(void)
{
    uint32_t set = plain_with_text(profile, 0, HOSTILE, HOSTILE);
    uint32_t own = fixture_mapping(profile, "/" HOSTILE, HOSTILE, 0x10000);
    uint32_t at = fixture_location(profile, own, 0x10010, HOSTILE);
    fixture_sample(profile, plain_child(profile, 0, at), set, 1, 10);
    plain_add_comment(profile, HOSTILE);
}

// Nothing of a profile can end the element that it is in, or is a control byte.
START_TEST(hostile_names_stay_data)
{
    fill_hostile();
    struct flame_request request = request_of(profile);
    request.profile_name = request.title = HOSTILE;
    AUTO_FREE char *page = draw(flame_page_write, &request);
    AUTO_FREE char *picture = draw(flame_svg_write, &request);
    json_t *data = data_of(page);
    ck_assert_ptr_nonnull(strstr(frame_name(data, 1), "<img onerror=x>"));
    ck_assert_ptr_nonnull(strstr(frame_name(data, 1), "\\x1b[2J"));
    for (int i = 0; i < 2; i++) {
        const char *made = i ? page : picture;
        ck_assert_ptr_null(strstr(made, "<script>document"));
        ck_assert_ptr_null(strstr(made, "<img"));
        ck_assert_ptr_null(strchr(made, 0x1b));
        ck_assert_ptr_null(strchr(made, 0xff));
    }
    ck_assert_ptr_null(strstr(picture, "<script"));
    ck_assert_ptr_nonnull(strstr(picture, "&lt;script&gt;document"));
    json_decref(data);
}
END_TEST

START_TEST(a_difference_has_two_sides)
{
    struct plain_profile *base = fixture_plain();
    uint32_t theirs = fixture_mapping(base, "/usr/bin/app", "0123", 0x9000);
    fixture_sample(base, plain_child(base, 0, fixture_location(base, theirs, 0x9020, "gone")), 0, 1,
                   5000000);
    fixture_sample(base, plain_child(base, 0, fixture_location(base, theirs, 0x9010, "main")), 0, 1,
                   5000000);
    fixture_sample(profile, plain_child(profile, 0, fixture_location(profile, mapping, 0x1010,
                                                                     "main")), 0, 2, 100000000);
    struct flame_request request = request_of(profile);
    request.base = base;
    request.base_name = "before";
    AUTO_FREE char *page = draw(flame_page_write, &request);
    AUTO_FREE char *picture = draw(flame_svg_write, &request);
    json_t *data = data_of(page);
    ck_assert_int_eq(number(data, "cells", "kids", 0), 2); // main is one cell, wherever it lay
    ck_assert_str_eq(frame_name(data, 1), "main");
    ck_assert_int_eq(value(data, 0, 1, 0), 5000000);
    ck_assert_int_eq(value(data, 1, 1, 0), 100000000);
    // Half of 10 before, and all of 100 now: that is half of 100, and twice as much.
    ck_assert_ptr_nonnull(strstr(picture, "<title>main\nbefore 5.00ms (50.00 %), after 100ms "
                                          "(100.00 %): +100.0 %"));
    ck_assert_ptr_nonnull(strstr(picture, "<title>gone\n"));
    json_decref(data);
    plain_free(base);
}
END_TEST

START_TEST(types_must_be_there)
{
    struct plain_profile *base = plain_new();
    plain_add_type(base, "space", "bytes");
    struct flame_request request = request_of(profile);
    struct err err = {0};
    request.base = base;
    ck_assert_int_eq(flame_svg_write(&request, stdout, &err), RC_USAGE);
    ck_assert_str_eq(err.text, "the two profiles do not both have values of type cpu\n"
                               "  the first has: space; the second: samples, cpu; --sample-type "
                               "names one of both");
    plain_free(base);
    base = plain_new();
    request = request_of(base);
    ck_assert_int_eq(flame_page_write(&request, stdout, &err), RC_FORMAT);
    plain_free(base);
}
END_TEST

START_TEST(the_type_that_is_asked_for_is_shown)
{
    struct flame_request request = request_of(profile);
    request.value = 0;
    AUTO_FREE char *page = draw(flame_page_write, &request);
    json_t *data = data_of(page);
    ck_assert_int_eq(json_integer_value(json_object_get(data, "shown")), 0);
    json_decref(data);
}
END_TEST

static size_t count_of(const char *in, const char *word)
{
    size_t count = 0;
    for (const char *at = in; (at = strstr(at, word)); at += strlen(word))
        count++;
    return count;
}

// Leaves out what is narrower than a pixel and what is too deep, and says how much that is.
START_TEST(a_picture_has_bounds)
{
    char name[16];
    uint32_t node = 0;
    for (int i = 0; i < 2000; i++) {
        snprintf(name, sizeof name, "narrow%d", i);
        uint32_t at = fixture_location(profile, mapping, 0x100000 + i * 16, name);
        fixture_sample(profile, plain_child(profile, 0, at), 0, 1, 1);
    }
    uint32_t deep = fixture_location(profile, mapping, 0x1010, "deep");
    for (int i = 0; i < 1000; i++)
        node = plain_child(profile, node, deep);
    fixture_sample(profile, node, 0, 1, 2000000);
    struct flame_request request = request_of(profile);
    AUTO_FREE char *picture = draw(flame_svg_write, &request);
    ck_assert_uint_eq(count_of(picture, "<title>"), 400);
    ck_assert_ptr_nonnull(strstr(picture, "left out: 2000 cells below a pixel, 601 too deep"));
}
END_TEST

// A location may have many lines and be in a stack many times; what is cut is told.
START_TEST(cells_have_a_bound)
{
    enum { LINES = 2000, DEPTH = 500 };
    struct plain_line *lines = xcalloc(LINES, sizeof *lines);
    for (int i = 0; i < LINES; i++)
        lines[i].function = plain_add_function(
            profile, (struct plain_function){.name = plain_text(profile, "bomb")});
    uint32_t at = plain_add_location(profile, mapping, 0x1010, lines, LINES), node = 0;
    for (int i = 0; i < DEPTH; i++)
        node = plain_child(profile, node, at);
    fixture_sample(profile, node, 0, 1, 10);
    AUTO_FREE char *page = page_of(profile);
    json_t *data = data_of(page);
    const json_t *kids = json_object_get(json_object_get(data, "cells"), "kids");
    ck_assert_uint_eq(json_array_size(kids), 100000 + 16 * (DEPTH + 1));
    ck_assert_int_eq(value(data, 0, 1, 0), 10);
    ck_assert_ptr_nonnull(strstr(page, "\"cut\":1}"));
    json_decref(data);
    free(lines);
}
END_TEST

START_TEST(values_below_0_are_nothing)
{
    uint32_t at = fixture_location(profile, mapping, 0x1010, "main");
    uint32_t less = fixture_location(profile, mapping, 0x1020, "less");
    fixture_sample(profile, plain_child(profile, 0, at), 0, 1, 10000000);
    fixture_sample(profile, plain_child(profile, 0, less), 0, -1, -10000000);
    struct flame_request request = request_of(profile);
    AUTO_FREE char *picture = draw(flame_svg_write, &request);
    ck_assert_ptr_nonnull(strstr(picture, "<title>main\n10.0ms (100.00 %)"));
    ck_assert_ptr_null(strstr(picture, "less"));
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    FILE *full = fopen("/dev/full", "w");
    struct flame_request request = request_of(profile);
    struct err err = {0};
    ck_assert_ptr_nonnull(full);
    ck_assert_int_eq(flame_page_write(&request, full, &err), RC_IO);
    fclose(full);
}
END_TEST

Suite *suite_flame(void);

Suite *suite_flame(void)
{
    TCase *tests = tcase_create("flame");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, own_bytes_are_few);
    tcase_add_test(tests, cells_are_functions_below_callers);
    tcase_add_test(tests, addresses_of_a_function_are_one_cell);
    tcase_add_test(tests, inlined_functions_are_cells);
    tcase_add_test(tests, hues_are_of_modules_or_else_of_functions);
    tcase_add_test(tests, labels_are_kept);
    tcase_add_test(tests, hostile_names_stay_data);
    tcase_add_test(tests, a_difference_has_two_sides);
    tcase_add_test(tests, types_must_be_there);
    tcase_add_test(tests, the_type_that_is_asked_for_is_shown);
    tcase_add_test(tests, a_picture_has_bounds);
    tcase_add_test(tests, cells_have_a_bound);
    tcase_add_test(tests, values_below_0_are_nothing);
    tcase_add_test(tests, a_full_disk_is_an_error);
    Suite *suite = suite_create("flame");
    suite_add_tcase(suite, tests);
    return suite;
}
