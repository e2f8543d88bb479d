// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "symbol/wire.h"

static size_t texts, symbols, trieds;
static struct wire_line first_line;

static void take_text(void *context, const char *raw, size_t raw_length, const char *shown,
                      size_t shown_length)
{
    (void)context;
    ck_assert_mem_eq(raw, "_Z1fv", raw_length);
    ck_assert_mem_eq(shown, "f()", shown_length);
    texts++;
}

static void take_symbol(void *context, const struct wire_symbol *symbol,
                        const struct wire_line *lines)
{
    (void)context, (void)symbol;
    first_line = lines[0];
    symbols++;
}

static void take_tried(void *context, bool has_lines, const char *text, size_t length)
{
    (void)context, (void)has_lines, (void)text, (void)length;
    trieds++;
}

static const struct wire_sink sink = {NULL, take_text, take_symbol, take_tried};
static struct wire_reader reader;
static struct buf message;

static void setup(void)
{
    texts = symbols = trieds = 0;
    reader = (struct wire_reader){.sink = &sink, .asked = 2};
    buf_clear(&message);
}

static bool take(void)
{
    return wire_take(&reader, message.data, message.length);
}

static void put_text(void)
{
    wire_put(&message, RECORD_TEXT, &(struct wire_text){5, 3}, sizeof(struct wire_text),
             "_Z1fvf()", 8);
}

static void put_symbol(uint32_t index, uint32_t count, uint32_t name)
{
    struct wire_symbol symbol = {.index = index, .line_count = count};
    struct wire_line lines[2] = {{.name = name, .line = 4}};
    wire_put(&message, RECORD_SYMBOL, &symbol, sizeof symbol, lines, sizeof lines);
}

START_TEST(test_answer)
{
    put_text();
    put_symbol(1, 2, 1);
    wire_put(&message, RECORD_TRIED, "\1", 1, "x: used", 7);
    wire_put(&message, RECORD_DONE, NULL, 0, NULL, 0);
    ck_assert(take());
    ck_assert_uint_eq(texts + symbols + trieds, 3);
    ck_assert_uint_eq(first_line.line, 4);
    ck_assert(reader.done);
}
END_TEST

START_TEST(test_symbol_rules)
{
    const uint32_t bad[][3] = {{2, 2, 0}, {0, 0, 0}, {0, 1, 0}, {0, 3, 0}, {0, 257, 0}, {0, 2, 1}};
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        reader.answered = 0;
        buf_clear(&message);
        put_symbol(bad[i][0], bad[i][1], bad[i][2]);
        ck_assert_msg(!take(), "%zu", i);
    }
    ck_assert_uint_eq(symbols, 0);
}
END_TEST

// More answers than questions would fill our memory.
START_TEST(test_as_many_symbols_as_asked)
{
    put_text();
    for (uint32_t i = 0; i < 2; i++)
        put_symbol(0, 2, 1);
    ck_assert(take());
    buf_clear(&message);
    put_symbol(1, 2, 1);
    ck_assert(!take());
    ck_assert_uint_eq(symbols, 2);
}
END_TEST

START_TEST(test_cut_anywhere)
{
    put_text();
    put_symbol(0, 2, 1);
    size_t whole = message.length, first = sizeof(struct wire_record) + 16;
    for (size_t length = 1; length < whole; length++) {
        reader.text_count = reader.answered = 0;
        ck_assert_msg(wire_take(&reader, message.data, length) == (length == first), "%zu",
                      length);
    }
    ck_assert_uint_eq(texts, whole - first); // and nothing of a part
    ck_assert_uint_eq(symbols, 0);
}
END_TEST

START_TEST(test_other_rules)
{
    wire_put(&message, 0, NULL, 0, NULL, 0);
    ck_assert(!take());
    buf_clear(&message);
    wire_put(&message, 99, NULL, 0, NULL, 0);
    ck_assert(!take());
    buf_clear(&message);
    wire_put(&message, RECORD_TEXT, &(struct wire_text){5, 3}, sizeof(struct wire_text),
             "_Z\0fvf()", 8);
    ck_assert(!take());
    buf_clear(&message);
    wire_put(&message, RECORD_WANT, "relative", 8, NULL, 0);
    ck_assert(!take());
    buf_clear(&message);
    wire_put(&message, RECORD_DONE, NULL, 0, NULL, 0);
    put_text(); // behind the end
    ck_assert(!take());
}
END_TEST

START_TEST(test_want)
{
    wire_put(&message, RECORD_WANT, "/usr/lib/x", 10, NULL, 0);
    ck_assert(take());
    ck_assert_str_eq(reader.want, "/usr/lib/x");
    free(reader.want);
}
END_TEST

Suite *suite_wire(void)
{
    Suite *suite = suite_create("wire");
    TCase *cases = tcase_create("wire");
    tcase_add_checked_fixture(cases, setup, NULL);
    tcase_add_test(cases, test_answer);
    tcase_add_test(cases, test_symbol_rules);
    tcase_add_test(cases, test_as_many_symbols_as_asked);
    tcase_add_test(cases, test_cut_anywhere);
    tcase_add_test(cases, test_other_rules);
    tcase_add_test(cases, test_want);
    suite_add_tcase(suite, cases);
    return suite;
}
