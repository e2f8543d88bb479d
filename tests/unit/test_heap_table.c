// SPDX-License-Identifier: MIT
// Rows of a census, grouped, compared and printed; and their profile, which is read again.
#include "heap/heap_table.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture_census.h"
#include "fixture_profile.h"
#include "heap/census_profile.h"
#include "heap/census_words.h"
#include "heap/heap_print.h"
#include "output/parser.h"
#include "profile/block_profile.h"
#include "profile/size_class.h"

#define DICT 99164899329223u // address of the frame of pymalloc; Python; dict

static struct census_fixture fixture;

static void set_up(void)
{
    census_fixture_init(&fixture);
}

static void tear_down(void)
{
    census_fixture_fini(&fixture);
}

// --- size classes ---

START_TEST(sizes_are_classes_of_their_own_up_to_1_kib)
{
    for (uint64_t size = 0; size <= 1024; size++)
        ck_assert_uint_eq(size_class_of(size), size);
    static const uint64_t cases[][2] = {{1025, 1280}, {1280, 1280}, {1281, 1536}, {2048, 2048},
                                        {2049, 2560}, {4096, 4096}, {1u << 30, 1u << 30}};
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        ck_assert_uint_eq(size_class_of(cases[i][0]), cases[i][1]);
    ck_assert_uint_eq(size_class_of(UINT64_MAX), UINT64_MAX);
}
END_TEST

START_TEST(each_class_begins_behind_the_one_below)
{
    for (uint64_t size = 1; size < 1ull << 40; size += size / 7 + 1) {
        uint64_t class = size_class_of(size), below = size_class_below(class);
        ck_assert_uint_le(size, class);
        ck_assert_uint_gt(size, below);
        ck_assert_uint_eq(size_class_of(below), below);
        ck_assert_uint_eq(size_class_of(below + 1), class);
    }
}
END_TEST

START_TEST(classes_have_short_texts)
{
    static const struct {
        uint64_t size;
        const char *text;
    } cases[] = {{0, "0 bytes"},       {1, "1 byte"},         {1024, "1024 bytes"},
                 {1280, "1K-1.25K"},   {2048, "1.75K-2K"},    {2560, "2K-2.5K"},
                 {1u << 20, "896K-1M"}, {5u << 18, "1M-1.25M"}};
    char text[CENSUS_SIZE_TEXT];
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        ck_assert_str_eq(census_size_text(cases[i].size, text), cases[i].text);
    ck_assert_uint_lt(strlen(census_size_text(UINT64_MAX, text)), sizeof text);
}
END_TEST

// --- groups ---

static const struct heap_row *row_of(const struct heap_table *table, const char *kind,
                                     const char *what)
{
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(heap_table_text(table, &table->rows[i], HEAP_BY_KIND), kind) == 0 &&
            strcmp(heap_table_text(table, &table->rows[i], HEAP_BY_WHAT), what) == 0)
            return &table->rows[i];
    ck_abort_msg("there is no %s %s", kind, what);
    return NULL;
}

START_TEST(rows_are_grouped_and_totals_close)
{
    for (unsigned by = 0; by <= HEAP_BY_ALL; by++) {
        struct heap_table table;
        uint64_t blocks = 0, bytes = 0;
        heap_table_init(&table, by);
        heap_table_add_census(&table, &fixture.census, HEAP_NOW);
        heap_table_sort(&table);
        for (size_t i = 0; i < table.count; i++) {
            blocks += table.rows[i].at[HEAP_NOW].blocks;
            bytes += table.rows[i].at[HEAP_NOW].bytes;
            ck_assert(!i || table.rows[i].at[HEAP_NOW].bytes <=
                                table.rows[i - 1].at[HEAP_NOW].bytes);
        }
        ck_assert_uint_eq(blocks, 2005620);
        ck_assert_uint_eq(bytes, 128386016);
        ck_assert_uint_eq(table.total[HEAP_NOW].blocks, blocks);
        ck_assert_uint_eq(table.total[HEAP_NOW].bytes, bytes);
        heap_table_fini(&table);
    }
}
END_TEST

START_TEST(a_group_has_the_examples_of_its_rows)
{
    struct heap_table table;
    heap_table_init(&table, 0);
    heap_table_add_census(&table, &fixture.census, HEAP_NOW);
    const struct heap_row *row = row_of(&table, "C++", "Session");
    ck_assert_uint_eq(row->at[HEAP_NOW].blocks, 2001000);
    ck_assert_uint_eq(row->examples[0], 0x1000);
    ck_assert(!row->unknown);
    row = row_of(&table, "unknown", "1K-1.25K");
    ck_assert_uint_eq(row->examples[1], 0x7f0000002040);
    ck_assert(row->unknown);
    row_of(&table, "text", "");
    heap_table_fini(&table);
}
END_TEST

START_TEST(growth_is_signed_and_sorted)
{
    struct heap_table table;
    heap_table_init(&table, 0);
    heap_table_add_census(&table, &fixture.census, HEAP_BEFORE);
    fixture.rows[0].count -= 10;
    fixture.rows[0].bytes -= 640;
    fixture.rows[6].count += 5;
    fixture.rows[6].bytes += 320;
    heap_table_add_census(&table, &fixture.census, HEAP_NOW);
    heap_table_sort_grown(&table, HEAP_BEFORE);
    ck_assert_int_eq(heap_grown_bytes(table.rows[0].at, HEAP_BEFORE), 320);
    ck_assert_int_eq(heap_grown_blocks(table.rows[0].at, HEAP_BEFORE), 5);
    ck_assert_int_eq(heap_grown_bytes(table.rows[table.count - 1].at, HEAP_BEFORE), -640);
    ck_assert_int_eq(heap_grown_bytes(table.total, HEAP_BEFORE), -320);
    heap_table_fini(&table);
}
END_TEST

START_TEST(sums_stay_at_their_bound)
{
    struct heap_table table;
    fixture.rows[0].bytes = fixture.rows[1].bytes = UINT64_MAX;
    heap_table_init(&table, 0);
    heap_table_add_census(&table, &fixture.census, HEAP_NOW);
    ck_assert_uint_eq(row_of(&table, "C++", "Session")->at[HEAP_NOW].bytes, UINT64_MAX);
    ck_assert_int_eq(heap_grown_bytes(table.total, HEAP_BEFORE), INT64_MAX);
    heap_table_fini(&table);
}
END_TEST

START_TEST(moves_are_what_two_censuses_differ_by)
{
    struct heap_census_row rows[ARRAY_LENGTH(fixture.rows)];
    struct heap_census after = fixture.census;
    memcpy(rows, fixture.rows, sizeof rows);
    after.rows = rows;
    rows[0].count -= 10;           // went
    rows[3].kind = rows[0].kind;   // is another row now: 500 went, 500 came
    rows[3].arena = 7;
    struct heap_moves moves = heap_moves_between(&fixture.census, &after);
    ck_assert_uint_eq(moves.moved_blocks, 1010);
    ck_assert_uint_eq(moves.moved_bytes, 64000);
    ck_assert_uint_eq(moves.blocks, 2005620 + 500);
    after.count = 0;
    moves = heap_moves_between(&fixture.census, &after);
    ck_assert_uint_eq(moves.moved_blocks, 2005620);
    moves = heap_moves_between(&after, &after);
    ck_assert_uint_eq(moves.blocks, 0);
}
END_TEST

// --- what is printed ---

static void check_text(const char *name, const struct heap_printing *printing,
                       void (*print)(struct buf *, const struct heap_printing *))
{
    AUTO_BUF struct buf text = {0};
    print(&text, printing);
    fixture_golden(name, text.data);
    for (size_t i = 0; i < text.length; i++)
        ck_assert(text.data[i] == '\n' || (unsigned char)text.data[i] >= 0x20);
}

START_TEST(text_and_json_are_those_that_were_agreed)
{
    struct heap_census before = fixture.census;
    struct heap_census_row rows[ARRAY_LENGTH(fixture.rows)];
    memcpy(rows, fixture.rows, sizeof rows);
    rows[6].count -= 12;
    rows[6].bytes -= 768;
    before.rows = rows;
    struct heap_printing printing = {.census = &fixture.census, .target = &fixture.target,
                                     .top = 4};
    check_text("heap.txt", &printing, heap_text);
    check_text("heap.json", &printing, heap_json);
    printing.before = &before;
    printing.by = HEAP_BIT(HEAP_BY_SIZE) | HEAP_BIT(HEAP_BY_ARENA);
    fixture.census.folded = 3;
    fixture.allocators[1].walked = false;
    heap_figures_unknown(&fixture.allocators[1].figures, FIGURE_IN_USE, "its objects move");
    printing.examples = 1; // of which none can be read
    check_text("heap-twice.txt", &printing, heap_text);
    check_text("heap-twice.json", &printing, heap_json);
}
END_TEST

START_TEST(first_bytes_are_escaped)
{
    AUTO_BUF struct buf text = {0};
    static char data[64] = "\033[31m<b>\"\\ text";
    heap_first_bytes(&text, &fixture.target, (uintptr_t)data);
    ck_assert_pstr_eq(text.data, "\"\\x1b[31m<b>\\x22\\x5c text\\x00\\x00\\x00\\x00\\x00\\x00"
                                 "\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\"");
    buf_clear(&text);
    heap_first_bytes(&text, &fixture.target, 8);
    ck_assert_uint_eq(text.length, 0);
}
END_TEST

START_TEST(growth_is_printed_as_was_agreed)
{
    AUTO_BUF struct buf text = {0}, json = {0};
    struct heap_table table;
    heap_table_init(&table, 0);
    heap_table_add_census(&table, &fixture.census, HEAP_FIRST);
    fixture.rows[6].count += 500;
    fixture.rows[6].bytes += 32000;
    heap_table_add_census(&table, &fixture.census, HEAP_BEFORE);
    fixture.rows[6].count += 500;
    fixture.rows[6].bytes += 32000;
    fixture.rows[5].count -= 1;
    fixture.rows[5].bytes -= 112;
    heap_table_add_census(&table, &fixture.census, HEAP_NOW);
    struct heap_growth growth = {
        .table = &table,
        .first = true,
        .since = {[HEAP_BEFORE] = 10ll * NS_PER_S, [HEAP_FIRST] = 20ll * NS_PER_S},
        .top = 1,
        .time = fixture.census.time,
        .title = "heap of 4242 (server)",
    };
    heap_growth_text(&text, &growth);
    fixture_golden("heap-growth.txt", text.data);
    growth.top = 30;
    heap_growth_json(&json, &growth);
    fixture_golden("heap-growth.json", json.data);
    heap_table_fini(&table);
}
END_TEST

START_TEST(growth_between_unknown_times_has_no_rate)
{
    AUTO_BUF struct buf text = {0}, json = {0};
    struct heap_table table;
    heap_table_init(&table, 0);
    heap_table_add_census(&table, &fixture.census, HEAP_NOW);
    struct heap_growth growth = {.table = &table, .top = 30, .title = "a to b"};
    heap_growth_text(&text, &growth);
    ck_assert_ptr_nonnull(strstr(text.data, "in a time that is not known"));
    ck_assert_ptr_null(strstr(text.data, "/S"));
    heap_growth_json(&json, &growth);
    ck_assert_ptr_nonnull(strstr(json.data, "\"bytes_per_second\":null"));
    heap_table_fini(&table);
}
END_TEST

// --- the profile ---

static char *written(const struct plain_profile *profile, const char *format, size_t *length)
{
    struct err err = {0};
    char *bytes;
    FILE *stream = open_memstream(&bytes, length);
    const struct writing writing = {.profile = profile};
    ck_assert_msg(writer_by_name(format)->write(&writing, stream, &err) == RC_OK, "%s", err.text);
    fclose(stream);
    return bytes;
}

START_TEST(the_profile_is_written_by_all_writers)
{
    struct plain_profile *profile = census_profile(&fixture.census);
    for (size_t i = 0; i < writer_count; i++) {
        size_t length;
        AUTO_FREE char *bytes = written(profile, writers[i].name, &length);
        ck_assert_uint_gt(length, 0);
        if (writers[i].binary || strcmp(writers[i].name, "chrome") == 0)
            continue;
        AUTO_FREE char *name = xasprintf("heap%s", strcmp(writers[i].name, "json") == 0
                                                       ? ".profile.json"
                                                   : strcmp(writers[i].name, "text") == 0
                                                       ? ".profile.txt"
                                                       : writers[i].extension);
        fixture_golden(name, bytes);
    }
    plain_free(profile);
}
END_TEST

// Says whether both have the same rows, whatever they were read from.
static void check_same(const struct heap_table *a, const struct heap_table *b)
{
    ck_assert_uint_eq(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        for (size_t by = 0; by < HEAP_BY_COUNT; by++)
            ck_assert_str_eq(heap_table_text(a, &a->rows[i], by),
                             heap_table_text(b, &b->rows[i], by));
        ck_assert_mem_eq(&a->rows[i].at[HEAP_NOW], &b->rows[i].at[HEAP_NOW],
                         sizeof a->rows[i].at[HEAP_NOW]);
        ck_assert_uint_eq(a->rows[i].size, b->rows[i].size);
    }
}

static void check_read_again(const char *bytes, size_t length, const struct heap_table *expected)
{
    struct plain_profile *profile;
    struct heap_table table;
    struct err err = {0};
    ck_assert_msg(parser_parse(bytes, length, &profile, &err) == RC_OK, "%s", err.text);
    ck_assert_int_eq(profile->time, fixture.census.time);
    ck_assert_uint_eq(profile->type_count, 2);
    heap_table_init(&table, expected->by);
    heap_table_add_profile(&table, profile, 0, 1, HEAP_NOW);
    heap_table_sort_texts(&table);
    check_same(expected, &table);
    heap_table_fini(&table);
    plain_free(profile);
}

START_TEST(the_label_of_a_size_is_what_a_block_takes)
{
    struct plain_profile *profile = census_profile(&fixture.census);
    size_t exact = 0;
    for (uint32_t i = 0; i < profile->samples.count; i++) {
        uint32_t set = profile->samples.list[i].labels;
        int64_t size = plain_label(profile, set, "bytes")->number;
        int64_t usable = plain_label(profile, set, "usable")->number;
        const int64_t *values = plain_values(profile, i); // objects, space
        ck_assert_int_ge(size, usable);
        ck_assert_uint_eq((uint64_t)size, size_class_of((uint64_t)(values[1] / values[0])));
        exact += size * values[0] == values[1];
    }
    ck_assert_uint_eq(exact, profile->samples.count - 1); // but 1K-1.25K
    plain_free(profile);
}
END_TEST

START_TEST(pprof_and_json_are_read_again_without_a_loss)
{
    struct heap_table table;
    AUTO_BUF struct buf json = {0};
    size_t length;
    // The formats are UTF-8 without control bytes: such names come back escaped.
    fixture.rows[2].kind = kinds_number(fixture.census.kinds, BLOCK_CLASS, "Plain<int, char*>");
    const struct heap_printing printing = {.census = &fixture.census, .target = &fixture.target};
    struct plain_profile *profile = census_profile(&fixture.census);
    AUTO_FREE char *pprof = written(profile, "pprof", &length);
    heap_json(&json, &printing);
    for (unsigned by = 0; by <= HEAP_BY_ALL; by++) {
        heap_table_init(&table, by);
        heap_table_add_census(&table, &fixture.census, HEAP_NOW);
        heap_table_sort_texts(&table);
        check_read_again(pprof, length, &table);
        check_read_again(json.data, json.length, &table);
        heap_table_fini(&table);
    }
    plain_free(profile);
}
END_TEST

static uint64_t address_of(const struct plain_profile *profile, const char *function)
{
    for (size_t i = 0; i < profile->code.location_count; i++) {
        const struct plain_location *location = &profile->code.locations[i];
        const struct plain_line *line = &profile->code.lines[location->first];
        if (strcmp(plain_string(profile, profile->code.functions[line->function].name),
                   function) == 0)
            return location->address;
    }
    ck_abort_msg("there is no frame %s", function);
    return 0;
}

START_TEST(addresses_are_the_same_in_any_census)
{
    struct plain_profile *one = census_profile(&fixture.census);
    uint64_t dict = address_of(one, "dict"), text = address_of(one, "text");
    fixture.census.count = 2; // others, in another order
    fixture.rows[1] = fixture.rows[5];
    fixture.rows[0] = fixture.rows[6];
    struct plain_profile *other = census_profile(&fixture.census);
    ck_assert_uint_eq(address_of(other, "dict"), dict);
    ck_assert_uint_eq(address_of(other, "text"), text);
    // They are in files: they never change.
    ck_assert_uint_eq(dict, DICT);
    for (size_t i = 0; i < one->code.location_count; i++) {
        const struct plain_location *location = &one->code.locations[i];
        const struct plain_mapping *mapping = &one->code.mappings[location->mapping];
        ck_assert(location->address >= mapping->start && location->address < mapping->limit);
        for (size_t k = 0; k < i; k++)
            ck_assert_uint_ne(location->address, one->code.locations[k].address);
    }
    plain_free(one);
    plain_free(other);
}
END_TEST

// Takes the address of a path away beforehand, as another path of the same hash would.
START_TEST(paths_of_one_hash_have_two_addresses)
{
    struct block_profile making;
    uint64_t path = 0, first = block_profile_offset(&path, "glibc");
    block_profile_begin(&making, 0, NULL);
    uint64_t start = making.profile->code.mappings[0].start;
    map_put(&making.addresses, start + first, 1);
    map_put(&making.addresses, start + block_profile_next(first), 1);
    const struct block_count count = {.allocator = "glibc", .arena = "", .kind = "", .what = "",
                                      .size = 8, .blocks = 1, .bytes = 16};
    block_profile_add(&making, &count);
    block_profile_add(&making, &count);
    struct plain_profile *profile = block_profile_end(&making);
    ck_assert_uint_eq(profile->code.location_count, 1);
    ck_assert_uint_eq(profile->code.locations[0].address,
                      start + block_profile_next(block_profile_next(first)));
    ck_assert_int_eq(plain_values(profile, 0)[1], 32);
    plain_free(profile);
}
END_TEST

START_TEST(damaged_json_is_refused)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"{\"schema\":1,\"census\":{}}", "\"rows\""},
        {"{\"census\":{},\"rows\":[", "damaged in line 1"},
        {"{\"census\":{},\"rows\":[1]}", "row 0 has no blocks"},
        {"{\"census\":{},\"rows\":[{\"blocks\":1,\"bytes\":-5,\"size\":8}]}", "row 0"},
        {"{\"census\":{},\"rows\":[{\"blocks\":1,\"bytes\":1e3,\"size\":8}]}", "row 0"},
        {"{\"census\":{},\"rows\":{}}", "\"rows\""},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        struct plain_profile *profile;
        struct err err = {0};
        ck_assert_int_eq(parser_parse(cases[i].text, strlen(cases[i].text), &profile, &err),
                         RC_FORMAT);
        ck_assert_ptr_null(profile);
        ck_assert_msg(strstr(err.text, cases[i].says), "%s", err.text);
    }
}
END_TEST

START_TEST(sums_of_a_hostile_file_stay_at_their_bound)
{
    static const char text[] =
        "{\"census\":{\"start_wall_ns\":-1,\"pid\":\"x\"},\"rows\":["
        "{\"blocks\":9223372036854775807,\"bytes\":9223372036854775807,\"size\":7},"
        "{\"blocks\":9223372036854775807,\"bytes\":9223372036854775807,"
        "\"size\":9223372036854775807}]}";
    struct plain_profile *profile;
    struct heap_table table;
    struct err err = {0};
    ck_assert_msg(parser_parse(text, strlen(text), &profile, &err) == RC_OK, "%s", err.text);
    heap_table_init(&table, HEAP_BY_ALL);
    heap_table_add_profile(&table, profile, 0, 1, HEAP_NOW);
    ck_assert_uint_eq(table.count, 2);
    ck_assert_uint_eq(table.total[HEAP_NOW].bytes, UINT64_MAX - 1);
    heap_table_fini(&table);
    plain_free(profile);
}
END_TEST

Suite *suite_heap_table(void);

Suite *suite_heap_table(void)
{
    TCase *tests = tcase_create("heap table");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, sizes_are_classes_of_their_own_up_to_1_kib);
    tcase_add_test(tests, each_class_begins_behind_the_one_below);
    tcase_add_test(tests, classes_have_short_texts);
    tcase_add_test(tests, rows_are_grouped_and_totals_close);
    tcase_add_test(tests, a_group_has_the_examples_of_its_rows);
    tcase_add_test(tests, growth_is_signed_and_sorted);
    tcase_add_test(tests, sums_stay_at_their_bound);
    tcase_add_test(tests, moves_are_what_two_censuses_differ_by);
    tcase_add_test(tests, text_and_json_are_those_that_were_agreed);
    tcase_add_test(tests, first_bytes_are_escaped);
    tcase_add_test(tests, growth_is_printed_as_was_agreed);
    tcase_add_test(tests, growth_between_unknown_times_has_no_rate);
    tcase_add_test(tests, the_profile_is_written_by_all_writers);
    tcase_add_test(tests, the_label_of_a_size_is_what_a_block_takes);
    tcase_add_test(tests, pprof_and_json_are_read_again_without_a_loss);
    tcase_add_test(tests, addresses_are_the_same_in_any_census);
    tcase_add_test(tests, paths_of_one_hash_have_two_addresses);
    tcase_add_test(tests, damaged_json_is_refused);
    tcase_add_test(tests, sums_of_a_hostile_file_stay_at_their_bound);
    Suite *suite = suite_create("heap_table");
    suite_add_tcase(suite, tests);
    return suite;
}
