// SPDX-License-Identifier: MIT
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/random.h"
#include "commands/yaml_file.h"

static enum rc put_entry(void *context, const struct yaml_entry *entry, struct err *err)
{
    struct buf *seen = context;
    if (strcmp(entry->key, "refused") == 0)
        return err_set(err, RC_USAGE, "not this one");
    buf_printf(seen, "%u:%s=", entry->line, entry->key);
    for (size_t i = 0; i < entry->values->count; i++)
        buf_printf(seen, "%s%s", i ? "," : "", entry->values->texts[i]);
    buf_putc(seen, ';');
    return RC_OK;
}

struct reading {
    struct buf seen;
    struct err err;
    enum rc rc;
};

static struct reading read_bytes(const char *text, size_t length)
{
    struct reading reading = {0};
    reading.rc = yaml_file_parse(text, length, "f", put_entry, &reading.seen, &reading.err);
    if (!reading.seen.data)
        buf_puts(&reading.seen, "");
    return reading;
}

static void require_seen(const char *text, const char *expected)
{
    struct reading reading = read_bytes(text, strlen(text));
    ck_assert_msg(reading.rc == RC_OK, "%s: %s", text, reading.err.text);
    ck_assert_str_eq(reading.seen.data, expected);
    buf_fini(&reading.seen);
}

static void require_refused(const char *text, const char *expected)
{
    struct reading reading = read_bytes(text, strlen(text));
    ck_assert_msg(reading.rc == RC_USAGE, "%s was taken: %s", text, reading.seen.data);
    ck_assert_msg(strstr(reading.err.text, expected), "%s: %s", text, reading.err.text);
    buf_fini(&reading.seen);
}

START_TEST(keys_of_all_levels_are_one)
{
    require_seen("a: 1\nb-c: 2\nd_e: 3\n", "1:a=1;2:b-c=2;3:d-e=3;");
    require_seen("a:\n  b: 1\n  c_d:\n    e: x y\n", "2:a-b=1;4:a-c-d-e=x y;");
    require_seen("{a: 1, b: {c: 2}}", "1:a=1;1:b-c=2;");
    require_seen("# nothing\n", "");
    require_seen("", "");
    require_seen("---\na: \"q: #\" # c\n...\n", "2:a=q: #;");
    require_seen("a: ''\nb: \"\"\n", "1:a=;2:b=;");
    require_seen("a: |\n  two\n  lines\n", "1:a=two\nlines\n;");
}
END_TEST

START_TEST(lists_are_of_texts)
{
    require_seen("a: [x, 'y', \"z\"]\nb:\n- 1\n- 2\nc: []\n", "1:a=x,y,z;2:b=1,2;5:c=;");
    require_refused("a: [[x]]", "f:1:5: a list consists of texts");
    require_refused("a: [{b: c}]", "a list consists of texts");
    require_refused("a:\n  -\n", "the value is missing");
}
END_TEST

START_TEST(what_hides_a_meaning_is_refused)
{
    require_refused("a: &x 1\n", "f:1:4: anchors");
    require_refused("a: *x\n", "anchors");
    require_refused("a: &x [*x]\n", "anchors"); // a circle
    require_refused("&x a: 1\n", "anchors");
    require_refused("a: &x {b: 1}\n", "anchors");
    require_refused("a: !!str 1\n", "tags");
    require_refused("a: !x {b: 1}\n", "tags");
    require_refused("%TAG ! tag:x,2000:\n---\na: 1\n", "tags");
    require_refused("<<: {a: 1}\na: 2\n<<: {a: 3}\n", "a second time");
}
END_TEST

START_TEST(a_key_comes_once)
{
    require_refused("a: 1\nb: 2\na: 3\n",
                    "f:3:1: a comes a second time; the first one is in line 1");
    require_refused("a-b: 1\na: {b: 2}\n", "f:2:5: a-b comes a second time");
    require_refused("a_b: 1\na-b: 2\n", "a second time");
    require_refused("a: {b: 1}\na: {c: 2}\n", "a second time");
}
END_TEST

START_TEST(what_is_no_configuration)
{
    require_refused("a:\n", "the value is missing");
    require_refused("a: ~\n", "the value is missing");
    require_refused("a: null\n", "the value is missing");
    require_refused("a: {}\n", "the value is missing");
    require_refused("- a\n", "keys and values");
    require_refused("text", "keys and values");
    require_refused("? [a]\n: 1\n", "a key is one word");
    require_refused("\"\": 1\n", "a key is one word");
    require_refused("a: 1\n---\nb: 2\n", "f:2:1: a second document");
    require_refused("\ta: 1\n", "f:1:1: ");
    require_refused("a: 1\n b: 2\n", "f:2:");
    require_refused("a: [1\n", "f:2:");
    require_refused("a: 'x\n", "f:");
    require_refused("a: \"\\q\"\n", "f:1:");
    require_refused("a: \xff\n", "f:");
    require_refused("refused: 1\n", "f:1:1: not this one");
    struct reading nul = read_bytes("a: 1\0b", 6);
    ck_assert_int_eq(nul.rc, RC_USAGE);
    ck_assert_ptr_nonnull(strstr(nul.err.text, "NUL"));
    buf_fini(&nul.seen);
}
END_TEST

START_TEST(bounds)
{
    AUTO_BUF struct buf deep = {0}, many = {0}, list = {0}, flow = {0};
    for (int i = 0; i < 2000; i++)
        buf_puts(&deep, "{a: ");
    require_refused(deep.data, "nested too deeply");
    for (int i = 0; i < 20000; i++)
        buf_puts(&flow, "[");
    require_refused(flow.data, "f:1:");
    for (int i = 0; i <= YAML_KEYS_MOST; i++)
        buf_printf(&many, "k%d: 1\n", i);
    require_refused(many.data, "too many keys");
    buf_puts(&list, "a:\n");
    for (int i = 0; i <= YAML_TEXTS_MOST; i++)
        buf_puts(&list, "- x\n");
    require_refused(list.data, "too much");
    AUTO_FREE char *huge = xmalloc(YAML_FILE_MOST + 2);
    memset(huge, '#', YAML_FILE_MOST + 1);
    huge[YAML_FILE_MOST + 1] = '\0';
    require_refused(huge, "a configuration of more than 256 KiB");
    huge[YAML_FILE_MOST] = '\0';
    require_seen(huge, "");
}
END_TEST

// Each of them is broken in one to four places.
static void break_text(uint64_t *random, char *text, size_t length)
{
    static const char bytes[] = "{}[]:,-#&*!|>'\"%@`?\t\n \\~\x01\x7f\xc3\xff";
    for (uint64_t i = random_next(random) % 4 + 1; i--;)
        text[random_next(random) % length] = bytes[random_next(random) % (sizeof bytes - 1)];
}

START_TEST(two_hundred_broken_files)
{
    static const char whole[] = "listen: 127.0.0.1:6060 # here\nmetrics:\n  interval: 2s\n"
                                "  history: \"10\"\nmatch:\n- comm=a\n- 'unit=b'\nauth: no\n";
    uint64_t random = 15;
    unsigned refused = 0;
    for (int i = 0; i < 200; i++) {
        char text[sizeof whole];
        memcpy(text, whole, sizeof whole);
        break_text(&random, text, sizeof whole - 1);
        struct reading reading = read_bytes(text, sizeof whole - 1);
        ck_assert(reading.rc == RC_OK || reading.rc == RC_USAGE);
        if (reading.rc == RC_USAGE)
            ck_assert_msg(strncmp(reading.err.text, "f:", 2) == 0, "%s", reading.err.text);
        for (const char *at = reading.err.text; *at; at++)
            ck_assert((unsigned char)*at >= ' ' && *at != 0x7f);
        refused += reading.rc != RC_OK;
        buf_fini(&reading.seen);
    }
    ck_assert_uint_gt(refused, 80);
}
END_TEST

Suite *suite_yaml_file(void);
Suite *suite_yaml_file(void)
{
    Suite *suite = suite_create("yaml_file");
    TCase *tcase = tcase_create("yaml_file");
    tcase_add_test(tcase, keys_of_all_levels_are_one);
    tcase_add_test(tcase, lists_are_of_texts);
    tcase_add_test(tcase, what_hides_a_meaning_is_refused);
    tcase_add_test(tcase, a_key_comes_once);
    tcase_add_test(tcase, what_is_no_configuration);
    tcase_add_test(tcase, bounds);
    tcase_add_test(tcase, two_hundred_broken_files);
    suite_add_tcase(suite, tcase);
    return suite;
}
