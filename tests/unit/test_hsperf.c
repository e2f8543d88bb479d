// SPDX-License-Identifier: MIT
// What a JVM says of itself, from bytes that are made here.
#include "heap/hsperf.h"

#include <check.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define HEAD 32
#define ENTRY 20

static void put_half(struct buf *out, uint32_t value)
{
    buf_append(out, &value, sizeof value);
}

static void pad(struct buf *out, size_t start)
{
    while ((out->length - start) % 8)
        buf_putc(out, '\0');
}

static void put_entry(struct buf *out, const char *name, uint64_t number, const char *text)
{
    size_t start = out->length, name_length = strlen(name) + 1;
    size_t data = (ENTRY + name_length + 7) / 8 * 8, size = text ? strlen(text) + 1 : 8;
    put_half(out, (uint32_t)((data + size + 7) / 8 * 8));
    put_half(out, ENTRY);
    put_half(out, text ? (uint32_t)size : 0);
    buf_putc(out, text ? 'B' : 'J');
    buf_append(out, "\1\1\1", 3);
    put_half(out, (uint32_t)data);
    buf_append(out, name, name_length);
    pad(out, start);
    buf_append(out, text ? (const void *)text : &number, size);
    pad(out, start);
}

static void put_head(struct buf *out)
{
    static const unsigned char head[HEAD] = {0xca, 0xfe, 0xc0, 0xc0, 1, 2, 0, 1};
    buf_append(out, head, sizeof head);
}

static void finish(struct buf *out, uint32_t count)
{
    uint32_t words[] = {(uint32_t)out->length, HEAD, count};
    memcpy(out->data + 8, &words[0], 4);
    memcpy(out->data + 24, &words[1], 8);
}

static void make(struct buf *out)
{
    put_head(out);
    put_entry(out, "java.property.java.vm.version", 0, "17.0.15+6");
    put_entry(out, "sun.os.hrt.frequency", 1000000, NULL);
    put_entry(out, "sun.rt.createVmBeginTime", 1700000000000, NULL);
    put_entry(out, "sun.gc.collector.0.name", 0, "young");
    put_entry(out, "sun.gc.collector.0.invocations", 27, NULL);
    put_entry(out, "sun.gc.collector.0.time", 1500, NULL);
    put_entry(out, "sun.gc.collector.1.invocations", 2, NULL);
    put_entry(out, "sun.gc.collector.9.invocations", 99, NULL); // more than are kept
    put_entry(out, "sun.gc.generation.0.space.0.used", 100, NULL);
    put_entry(out, "sun.gc.generation.1.space.0.used", 23, NULL);
    put_entry(out, "sun.gc.generation.1.space.0.capacity", 4096, NULL);
    put_entry(out, "sun.gc.generation.1.capacity", 5555, NULL); // that of no space
    finish(out, 12);
}

static bool parse(const struct buf *bytes, struct hsperf *hsperf)
{
    return hsperf_parse((const unsigned char *)bytes->data, bytes->length, hsperf);
}

START_TEST(figures)
{
    AUTO_BUF struct buf bytes = {0};
    struct hsperf hsperf;
    make(&bytes);
    ck_assert(parse(&bytes, &hsperf));
    ck_assert_str_eq(hsperf.version, "17.0.15+6");
    ck_assert_uint_eq(hsperf.started_ms, 1700000000000);
    ck_assert_str_eq(hsperf.collectors[0].name, "young");
    ck_assert_uint_eq(hsperf.collectors[0].count, 27);
    ck_assert_uint_eq(hsperf.collectors[1].count, 2);
    ck_assert_uint_eq(hsperf_ns(&hsperf, hsperf.collectors[0].time), 1500000);
    ck_assert_uint_eq(hsperf.used, 123);
    ck_assert_uint_eq(hsperf.capacity, 4096);
}
END_TEST

// The file may end anywhere, and no byte of it is to be relied on.
START_TEST(cut_and_damaged)
{
    AUTO_BUF struct buf bytes = {0};
    struct hsperf hsperf;
    make(&bytes);
    for (size_t length = 0; length < bytes.length; length++) {
        AUTO_FREE unsigned char *copy = xcopy(bytes.data, length, 1);
        (void)hsperf_parse(copy, length, &hsperf);
        ck_assert(strnlen(hsperf.version, HSPERF_TEXT) < HSPERF_TEXT);
    }
    for (size_t at = 0; at < bytes.length; at++) {
        char was = bytes.data[at];
        bytes.data[at] = (char)0xff;
        (void)parse(&bytes, &hsperf);
        ck_assert(strnlen(hsperf.collectors[0].name, HSPERF_TEXT) < HSPERF_TEXT);
        bytes.data[at] = was;
    }
}
END_TEST

static const struct {
    size_t at;
    unsigned char byte;
} strangers[] = {{0, 0xcb}, {4, 0}, {5, 1}, {7, 0}};

START_TEST(none_of_that)
{
    AUTO_BUF struct buf bytes = {0};
    struct hsperf hsperf;
    make(&bytes);
    bytes.data[strangers[_i].at] = (char)strangers[_i].byte;
    ck_assert(!parse(&bytes, &hsperf));
}
END_TEST

START_TEST(without_a_clock)
{
    AUTO_BUF struct buf bytes = {0};
    struct hsperf hsperf;
    put_head(&bytes);
    put_entry(&bytes, "sun.gc.collector.0.invocations", 27, NULL);
    finish(&bytes, 1);
    ck_assert(!parse(&bytes, &hsperf));
}
END_TEST

Suite *suite_hsperf(void)
{
    Suite *suite = suite_create("hsperf");
    TCase *tests = tcase_create("hsperf");
    tcase_add_test(tests, figures);
    tcase_add_test(tests, cut_and_damaged);
    tcase_add_loop_test(tests, none_of_that, 0, ARRAY_LENGTH(strangers));
    tcase_add_test(tests, without_a_clock);
    suite_add_tcase(suite, tests);
    return suite;
}
