// SPDX-License-Identifier: MIT
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/escape.h"
#include "base/histogram.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/strtab.h"
#include "base/thread.h"

// --- buf

START_TEST(buf_is_always_a_string)
{
    AUTO_BUF struct buf buf = {0};
    buf_append(&buf, "ab\0c", 4);
    ck_assert_uint_eq(buf.length, 4);
    ck_assert_mem_eq(buf.data, "ab\0c\0", 5);
    buf_putc(&buf, 'd');
    buf_puts(&buf, "");
    buf_printf(&buf, "%s-%d", "e", 42);
    ck_assert_mem_eq(buf.data, "ab\0cde-42\0", 10);
    ck_assert_uint_eq(buf.length, 9);
    buf_clear(&buf);
    ck_assert_uint_eq(buf.length, 0);
    ck_assert_str_eq(buf.data, "");
}
END_TEST

START_TEST(buf_grows)
{
    AUTO_BUF struct buf buf = {0};
    for (unsigned i = 0; i < 10000; i++)
        buf_printf(&buf, "%04u", i);
    ck_assert_uint_eq(buf.length, 40000);
    ck_assert_uint_eq(strlen(buf.data), 40000);
    ck_assert_mem_eq(buf.data + 4 * 1234, "1234", 4);
    AUTO_FREE char *wide = xasprintf("%*s", 70000, "x");
    buf_printf(&buf, "%s", wide);
    ck_assert_uint_eq(buf.length, 110000);
    ck_assert_int_eq(buf.data[109999], 'x');
}
END_TEST

START_TEST(buf_reads_to_the_end)
{
    AUTO_BUF struct buf buf = {0};
    AUTO_FREE char *text = xmalloc(100000);
    memset(text, 'x', 100000);
    int ends[2];
    buf_puts(&buf, "what was there before");
    AUTO_FD int file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
    ck_assert_int_eq(write(file, text, 100000), 100000);
    lseek(file, 0, SEEK_SET);
    ck_assert_int_eq(buf_read_fd(&buf, file, 100000), RC_OK);
    ck_assert_uint_eq(buf.length, 100000);
    ck_assert_mem_eq(buf.data, text, 100000);
    ck_assert_int_eq(buf.data[100000], '\0');
    lseek(file, 0, SEEK_SET);
    ck_assert_int_eq(buf_read_fd(&buf, file, 99999), RC_LIMIT);

    ck_assert_int_eq(pipe(ends), 0); // in pieces, as a pipe gives it
    ck_assert_int_eq(write(ends[1], "ab", 2), 2);
    close(ends[1]);
    ck_assert_int_eq(buf_read_fd(&buf, ends[0], 10), RC_OK);
    ck_assert_str_eq(buf.data, "ab");
    close(ends[0]);
    ck_assert_int_eq(buf_read_fd(&buf, ends[0], 10), RC_IO);
    ck_assert_int_eq(errno, EBADF);
}
END_TEST

// --- map

START_TEST(map_keeps_any_key)
{
    static const uint64_t keys[] = {0, 1, UINT64_MAX, 1ull << 63, 0x100000000u};
    struct map map = {0};
    ck_assert_uint_eq(map_get(&map, 0, 7), 7);
    for (uint32_t i = 0; i < ARRAY_LENGTH(keys); i++)
        map_put(&map, keys[i], i);
    for (uint32_t i = 0; i < ARRAY_LENGTH(keys); i++)
        ck_assert_uint_eq(map_get(&map, keys[i], 7), i);
    ck_assert_uint_eq(map_get(&map, 2, 7), 7);
    map_put(&map, 0, 99);
    ck_assert_uint_eq(map_get(&map, 0, 7), 99);
    ck_assert_uint_eq(map.count, ARRAY_LENGTH(keys));
    map_clear(&map);
    ck_assert_uint_eq(map_get(&map, 0, 7), 7);
    ck_assert_uint_eq(map.count, 0);
    map_fini(&map);
}
END_TEST

START_TEST(map_grows)
{
    struct map map = {0};
    for (uint32_t i = 0; i < 100000; i++)
        map_put(&map, (uint64_t)i << 20, i); // keys that are alike in their low bits
    ck_assert_uint_eq(map.count, 100000);
    for (uint32_t i = 0; i < 100000; i++)
        ck_assert_uint_eq(map_get(&map, (uint64_t)i << 20, UINT32_MAX), i);
    ck_assert_uint_eq(map_get(&map, 1, UINT32_MAX), UINT32_MAX);
    map_fini(&map);
}
END_TEST

// --- strtab

START_TEST(strtab_keeps_a_text_once)
{
    struct strtab tab;
    char text[] = "name";
    strtab_init(&tab);
    ck_assert_uint_eq(strtab_add(&tab, ""), 0);
    uint32_t id = strtab_add(&tab, text);
    text[0] = 'N';
    ck_assert_str_eq(strtab_get(&tab, id), "name");
    ck_assert_uint_ne(strtab_add(&tab, text), id);
    ck_assert_uint_eq(strtab_add(&tab, "name"), id);
    ck_assert_str_eq(strtab_get(&tab, 0), "");
    strtab_fini(&tab);
}
END_TEST

START_TEST(strtab_grows)
{
    struct strtab tab;
    char text[32];
    strtab_init(&tab);
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "%u\xff", i);
            ck_assert_uint_eq(strtab_add(&tab, text), i + 1);
        }
    }
    ck_assert_str_eq(strtab_get(&tab, 4321), "4320\xff");
    strtab_fini(&tab);
}
END_TEST

START_TEST(copies_of_a_string_table_grow_apart)
{
    struct strtab tab, copy;
    strtab_init(&tab);
    uint32_t both = strtab_add(&tab, "both");
    strtab_copy(&copy, &tab);
    uint32_t one = strtab_add(&tab, "one"), other = strtab_add(&copy, "other");
    ck_assert_uint_eq(one, other);
    ck_assert_ptr_eq(strtab_get(&tab, both), strtab_get(&copy, both));
    for (int i = 0; i < 1000; i++) {
        AUTO_FREE char *text = xasprintf("%d", i);
        ck_assert_uint_eq(strtab_add(&copy, text), other + 1 + (uint32_t)i);
    }
    strtab_fini(&tab);
    ck_assert_str_eq(strtab_get(&copy, both), "both");
    ck_assert_str_eq(strtab_get(&copy, other), "other");
    ck_assert_uint_eq(strtab_add(&copy, "both"), both);
    ck_assert_str_eq(strtab_get(&copy, strtab_add(&copy, "999")), "999");
    strtab_fini(&copy);
}
END_TEST

// --- histogram

START_TEST(quantiles_of_small_numbers_are_exact)
{
    struct histogram histogram = {0};
    ck_assert_uint_eq(histogram_quantile(&histogram, 0.5), 0);
    for (uint64_t value = 1; value <= 7; value++)
        histogram_add(&histogram, value);
    ck_assert_uint_eq(histogram.count, 7);
    ck_assert_uint_eq(histogram.sum, 28);
    ck_assert_uint_eq(histogram.max, 7);
    ck_assert_uint_eq(histogram_quantile(&histogram, 0), 1);
    ck_assert_uint_eq(histogram_quantile(&histogram, 3.0 / 7), 3);
    ck_assert_uint_eq(histogram_quantile(&histogram, 1), 7);
}
END_TEST

START_TEST(quantiles_are_within_an_eighth)
{
    struct histogram histogram = {0};
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_add(&histogram, value * 1000);
    for (unsigned percent = 1; percent <= 100; percent++) {
        double exact = percent * 1e6;
        double found = (double)histogram_quantile(&histogram, percent / 100.0);
        ck_assert_double_ge(found, exact * 0.999);
        ck_assert_double_le(found, exact * 1.126);
    }
    ck_assert_uint_eq(histogram_quantile(&histogram, 1), 100000000); // never beyond the largest
}
END_TEST

START_TEST(every_value_has_a_bucket)
{
    for (unsigned power = 0; power < 64; power++) {
        for (int64_t step = -1; step <= 1; step++) {
            struct histogram histogram = {0};
            uint64_t value = (1ull << power) + (uint64_t)step;
            histogram_add(&histogram, value);
            ck_assert_uint_eq(histogram_quantile(&histogram, 0.5), value);
            histogram_add(&histogram, UINT64_MAX);
            uint64_t top = histogram_quantile(&histogram, 0.5); // of the bucket of `value`
            ck_assert_uint_ge(top, value);
            ck_assert_uint_le(top - value, value / 8);
        }
    }
}
END_TEST

// --- thread

START_TEST(deadlines_beyond_two_seconds)
{
    static const int waits[] = {0, 1, 2000, 10000, 20000, INT_MAX};
    for (size_t i = 0; i < ARRAY_LENGTH(waits); i++) {
        int64_t before = clock_now(), after;
        struct timespec at = thread_deadline(waits[i]);
        after = clock_now();
        int64_t ns = (int64_t)at.tv_sec * NS_PER_S + at.tv_nsec;
        ck_assert_int_ge(ns, before + (int64_t)waits[i] * NS_PER_MS);
        ck_assert_int_le(ns, after + (int64_t)waits[i] * NS_PER_MS);
    }
}
END_TEST

// --- escape

typedef void escape_fn(struct buf *out, const char *text);

static const struct {
    const char *text;
    const char *shown, *json, *utf8, *folded; // NULL: as shown
} escapes[] = {
    {"", "", NULL, NULL, NULL},
    {"plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80~", "plain \xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80~",
     NULL, NULL, NULL},
    {"a;b", "a;b", NULL, NULL, "a:b"},
    {"\"\\<", "\"\\<", "\\\"\\\\\\u003c", NULL, NULL},
    // control bytes: terminal escapes, newline, backspace, DEL
    {"\x1b]0;x\a", "\\x1b]0;x\\x07", "\\u001b]0;x\\u0007", NULL, "\\x1b]0:x\\x07"},
    {"a\nb\t\b", "a\\x0ab\\x09\\x08", "a\\u000ab\\u0009\\u0008", NULL, NULL},
    {"\x7f", "\\x7f", "\\u007f", NULL, NULL},
    // C1: U+0085, and U+009B, which some terminals take for ESC [
    {"\xc2\x85\xc2\x9b", "\\x85\\x9b", "\\u0085\\u009b", NULL, NULL},
    {"\xc2\xa0", "\xc2\xa0", NULL, NULL, NULL},
    // bidi controls and what cannot be seen
    {"\xe2\x80\xae" "gpj", "\\u{202e}gpj", "\\u202egpj", NULL, NULL},
    {"\xd8\x9c", "\\u{61c}", "\\u061c", NULL, NULL},
    {"\xe2\x81\xa6\xe2\x80\x8b\xef\xbb\xbf", "\\u{2066}\\u{200b}\\u{feff}",
     "\\u2066\\u200b\\ufeff", NULL, NULL},
    {"\xc2\xad\xe3\x85\xa4\xef\xb8\x8f", "\\u{ad}\\u{3164}\\u{fe0f}", "\\u00ad\\u3164\\ufe0f", NULL,
     NULL},
    {"a\xf3\xa0\x81\x81", "a\\u{e0041}", "a\\udb40\\udc41", NULL, NULL}, // a tag
    // not UTF-8: a byte alone, cut short, overlong, a surrogate, beyond U+10FFFF
    {"\x80", "\\x80", "\xef\xbf\xbd", "\xef\xbf\xbd", NULL},
    {"\x9b" "31m", "\\x9b31m", "\xef\xbf\xbd" "31m", "\xef\xbf\xbd" "31m", NULL},
    {"a\xe2\x82", "a\\xe2\\x82", "a\xef\xbf\xbd\xef\xbf\xbd", "a\xef\xbf\xbd\xef\xbf\xbd", NULL},
    {"\xe2\x82;", "\\xe2\\x82;", "\xef\xbf\xbd\xef\xbf\xbd;", "\xef\xbf\xbd\xef\xbf\xbd;",
     "\\xe2\\x82:"},
    {"\xc0\xbb", "\\xc0\\xbb", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd", NULL},
    {"\xe0\x80\xbb", "\\xe0\\x80\\xbb", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", NULL},
    {"\xed\xa0\x80", "\\xed\\xa0\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", NULL},
    {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", NULL},
    {"\xff\xfe", "\\xff\\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "\xef\xbf\xbd\xef\xbf\xbd", NULL},
};

static void assert_escaped(escape_fn *escape, const char *text, const char *expected)
{
    AUTO_BUF struct buf out = {0};
    escape(&out, text);
    ck_assert_str_eq(out.data, expected);
    escape(&out, "+"); // appends
    ck_assert_uint_eq(out.length, strlen(expected) + 1);
}

START_TEST(escaped)
{
    const char *text = escapes[_i].text, *shown = escapes[_i].shown;
    assert_escaped(escape_text, text, shown);
    assert_escaped(escape_json, text, escapes[_i].json ? escapes[_i].json : shown);
    assert_escaped(escape_utf8, text, escapes[_i].utf8 ? escapes[_i].utf8 : shown);
    assert_escaped(escape_folded, text, escapes[_i].folded ? escapes[_i].folded : shown);
    AUTO_FREE char *copy = escape_text_dup(text);
    ck_assert_str_eq(copy, shown);
}
END_TEST

START_TEST(columns_are_characters)
{
    ck_assert_int_eq(escape_columns(""), 0);
    ck_assert_int_eq(escape_columns("f\xc3\xbcr \xe2\x82\xac"), 5);
}
END_TEST

// Whatever bytes there are: what comes out is printable ASCII or UTF-8, and escaping it again
// changes nothing but for the backslash and quote of JSON.
START_TEST(escaped_is_inert)
{
    static escape_fn *const all[] = {escape_text, escape_utf8, escape_folded};
    char text[5] = "";
    for (uint32_t bytes = 0x01010101; bytes < 0xffff0000; bytes += 65521) {
        memcpy(text, &bytes, sizeof bytes);
        for (size_t i = 0; i < ARRAY_LENGTH(all); i++) {
            AUTO_BUF struct buf once = {0}, twice = {0};
            all[i](&once, text);
            all[i](&twice, once.data);
            ck_assert_str_eq(once.data, twice.data);
            for (const char *at = once.data; *at; at++)
                ck_assert(!strchr("\n\r\t\x1b\x7f", *at) && (unsigned char)*at >= ' ');
        }
    }
}
END_TEST

// --- err

START_TEST(err_is_written_once)
{
    struct err err = {.text = "old"};
    ck_assert_int_eq(err_set(&err, RC_GONE, "pid %d", 42), RC_GONE);
    ck_assert_str_eq(err.text, "pid 42");
    ck_assert_int_eq(err_sys(&err, RC_IO, ENOENT, "cannot open '%s'", "x"), RC_IO);
    ck_assert_str_eq(err.text, "cannot open 'x': No such file or directory");
    ck_assert_int_eq(err_set(NULL, RC_BUSY, "nobody asks"), RC_BUSY);
    ck_assert_int_eq(err_sys(NULL, RC_IO, ENOENT, "nobody asks"), RC_IO);
    err_add(NULL, "nobody asks");
}
END_TEST

START_TEST(err_add_begins_a_line)
{
    struct err err = {0};
    err_add(&err, "first %d", 1);
    ck_assert_str_eq(err.text, "first 1");
    err_add(&err, "second");
    err_add(&err, "third");
    ck_assert_str_eq(err.text, "first 1\nsecond\nthird");
}
END_TEST

START_TEST(err_has_an_end)
{
    struct err err = {0};
    AUTO_FREE char *text = xasprintf("%*s", 5000, "x");
    ck_assert_int_eq(err_set(&err, RC_FAIL, "%s", text), RC_FAIL);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    err_add(&err, "more");
    ck_assert_int_eq(err_sys(&err, RC_IO, EIO, "%s", text), RC_IO);
    ck_assert_uint_eq(strlen(err.text), sizeof err.text - 1);
    for (size_t room = 1; room < 8; room++) { // a line that finds so much room, or less
        err_set(&err, RC_FAIL, "%*s", (int)(sizeof err.text - room), "x");
        err_add(&err, "more");
        ck_assert_uint_le(strlen(err.text), sizeof err.text - 1);
    }
}
END_TEST

// --- mem

START_TEST(mem_gives_away)
{
    AUTO_FREE char *text = xstrndup("abcdef", 3);
    char *kept = steal_ptr(&text);
    ck_assert_ptr_null(text);
    ck_assert_str_eq(kept, "abc");
    free(kept);
    AUTO_FD int fd = 42;
    ck_assert_int_eq(steal_fd(&fd), 42);
    ck_assert_int_eq(fd, -1);
}
END_TEST

static void close_it(int number)
{
    AUTO_FD int fd = number;
    errno = EINTR;
}

START_TEST(mem_cleans_up)
{
    int fd = dup(0);
    close_it(fd);
    ck_assert_int_eq(errno, EINTR); // as it was before the cleanup
    ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}
END_TEST

static TCase *texts(void)
{
    TCase *tests = tcase_create("texts");
    tcase_add_test(tests, deadlines_beyond_two_seconds);
    tcase_add_loop_test(tests, escaped, 0, (int)ARRAY_LENGTH(escapes));
    tcase_add_test(tests, escaped_is_inert);
    tcase_add_test(tests, columns_are_characters);
    tcase_add_test(tests, err_is_written_once);
    tcase_add_test(tests, err_add_begins_a_line);
    tcase_add_test(tests, err_has_an_end);
    tcase_add_test(tests, mem_gives_away);
    tcase_add_test(tests, mem_cleans_up);
    return tests;
}

Suite *suite_base(void);

Suite *suite_base(void)
{
    TCase *tests = tcase_create("containers");
    tcase_add_test(tests, buf_is_always_a_string);
    tcase_add_test(tests, buf_grows);
    tcase_add_test(tests, buf_reads_to_the_end);
    tcase_add_test(tests, map_keeps_any_key);
    tcase_add_test(tests, map_grows);
    tcase_add_test(tests, strtab_keeps_a_text_once);
    tcase_add_test(tests, strtab_grows);
    tcase_add_test(tests, copies_of_a_string_table_grow_apart);
    tcase_add_test(tests, quantiles_of_small_numbers_are_exact);
    tcase_add_test(tests, quantiles_are_within_an_eighth);
    tcase_add_test(tests, every_value_has_a_bucket);
    Suite *suite = suite_create("base");
    suite_add_tcase(suite, tests);
    suite_add_tcase(suite, texts());
    return suite;
}
