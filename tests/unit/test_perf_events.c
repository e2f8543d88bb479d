// SPDX-License-Identifier: MIT
// Records of the kernel's rings: whole ones, cut ones, and rings that lie.
#include "process/perf_events.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "skip.h"

static const struct perf_format plain = {PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU, 0};
static const struct perf_format full = {PERF_SAMPLE_KNOWN, 0x103}; // three registers

static unsigned char bytes[512];
static size_t length;

static void put(const void *data, size_t size)
{
    ck_assert_uint_le(length + size, sizeof bytes);
    memcpy(bytes + length, data, size);
    length += size;
}

static void put32(uint32_t value)
{
    put(&value, sizeof value);
}

static void put64(uint64_t value)
{
    put(&value, sizeof value);
}

static void begin(uint32_t type, uint16_t misc)
{
    struct perf_event_header header = {type, misc, 0};
    length = 0;
    put(&header, sizeof header);
}

static void end(void)
{
    struct perf_event_header header;
    memcpy(&header, bytes, sizeof header);
    header.size = (uint16_t)length;
    memcpy(bytes, &header, sizeof header);
}

// The end of each record of the plain format.
static void put_trailer(void)
{
    put32(41), put32(42);
    put64(1000);
    put32(3), put32(0);
}

START_TEST(test_switch)
{
    struct perf_record record;
    begin(PERF_RECORD_SWITCH, PERF_RECORD_MISC_SWITCH_OUT);
    put_trailer();
    end();
    ck_assert_uint_eq(perf_record_parse(&plain, bytes, length, &record), length);
    ck_assert_uint_eq(record.type, PERF_RECORD_SWITCH);
    ck_assert_uint_eq(record.misc, PERF_RECORD_MISC_SWITCH_OUT);
    ck_assert_int_eq(record.pid, 41);
    ck_assert_int_eq(record.tid, 42);
    ck_assert_int_eq(record.time, 1000);
    ck_assert_uint_eq(record.cpu, 3);
}
END_TEST

// The name fills the record up to its end: no NUL is believed to be there.
START_TEST(test_name_without_end)
{
    struct perf_record record;
    begin(PERF_RECORD_COMM, 0);
    put32(7), put32(8);
    for (int i = 0; i < 12; i++)
        put64(0x6161616161616161);
    put_trailer();
    end();
    ck_assert_uint_eq(perf_record_parse(&plain, bytes, length, &record), length);
    ck_assert_int_eq(record.tid, 8);
    ck_assert_uint_eq(strlen(record.comm), sizeof record.comm - 1);
    ck_assert_int_eq(record.time, 1000);
}
END_TEST

START_TEST(test_birth)
{
    struct perf_record record;
    begin(PERF_RECORD_FORK, 0);
    put32(10), put32(11), put32(12), put32(13);
    put64(999);
    put_trailer();
    end();
    ck_assert_uint_eq(perf_record_parse(&plain, bytes, length, &record), length);
    ck_assert_int_eq(record.pid, 10);
    ck_assert_int_eq(record.parent_pid, 11);
    ck_assert_int_eq(record.tid, 12);
    ck_assert_int_eq(record.parent, 13);
    ck_assert_int_eq(record.time, 999);
}
END_TEST

START_TEST(test_lost)
{
    struct perf_record record;
    begin(PERF_RECORD_LOST, 0);
    put64(5), put64(77);
    put_trailer();
    end();
    ck_assert_uint_eq(perf_record_parse(&plain, bytes, length, &record), length);
    ck_assert_uint_eq(record.lost, 77);
}
END_TEST

static void put_sample(uint64_t asked, uint64_t copied)
{
    begin(PERF_RECORD_SAMPLE, 0);
    put64(21);                    // identifier
    put64(0x401000);              // ip
    put_trailer();
    length -= 8;                  // the address, two ids and the CPU come in another order
    put64(0x7000), put64(22), put64(23);
    put32(3), put32(0);
    put64(1);                     // period
    put64(PERF_SAMPLE_REGS_ABI_64);
    put64(100), put64(101), put64(102);
    put64(asked);
    for (uint64_t i = 0; i < asked; i += 8)
        put64(i);
    put64(copied);
    end();
}

START_TEST(test_sample)
{
    struct perf_record record;
    uint64_t registers[3];
    put_sample(64, 48);
    ck_assert_uint_eq(perf_record_parse(&full, bytes, length, &record), length);
    ck_assert_uint_eq(record.ip, 0x401000);
    ck_assert_uint_eq(record.address, 0x7000);
    ck_assert_uint_eq(record.id, 22);
    ck_assert_uint_eq(record.cpu, 3);
    ck_assert_int_eq(record.tid, 42);
    ck_assert_uint_eq(record.register_count, 3);
    memcpy(registers, record.registers, sizeof registers);
    ck_assert_uint_eq(registers[2], 102);
    ck_assert_uint_eq(record.stack_length, 48);
    put_sample(64, 1 << 20); // more than was asked for
    perf_record_parse(&full, bytes, length, &record);
    ck_assert_uint_eq(record.stack_length, 64);
}
END_TEST

// Each record, cut anywhere and with any length in its header, is read within its bounds: behind
// the buffer lies nothing (sanitizers see it), and what is too short has no type.
START_TEST(test_cut)
{
    struct perf_record record;
    put_sample(64, 48);
    size_t whole = length;
    for (size_t told = 0; told <= whole + 8; told++)
        for (size_t there = 0; there <= whole; there++) {
            unsigned char *copy = xcopy(bytes, there ? there : 1, 1);
            struct perf_event_header header = {PERF_RECORD_SAMPLE, 0, (uint16_t)told};
            memcpy(copy, &header, there < sizeof header ? there : sizeof header);
            size_t taken = perf_record_parse(&full, copy, there, &record);
            bool fits = told >= sizeof header && told <= there;
            ck_assert_uint_eq(taken, fits ? told : 0);
            if (fits && told < whole)
                ck_assert_uint_eq(record.type, 0);
            free(copy);
        }
}
END_TEST

// --- rings, in memory of our own ---

enum { RING = 256 };
static struct perf_event_mmap_page page;
static unsigned char data[RING], whole[1 << 16];

static struct perf_ring ring_new(void)
{
    memset(&page, 0, sizeof page);
    return (struct perf_ring){
        .fd = -1, .page = &page, .data = data, .size = RING, .format = plain, .whole = whole};
}

static void write_switch(int64_t time)
{
    begin(PERF_RECORD_SWITCH, 0);
    put32(1), put32(2);
    put64((uint64_t)time);
    put32(0), put32(0);
    put64(0); // so that records do not end where the ring does
    end();
    for (size_t i = 0; i < length; i++)
        data[(page.data_head + i) % RING] = bytes[i];
    page.data_head += length;
}

START_TEST(test_ring_goes_round)
{
    struct perf_ring ring = ring_new();
    struct perf_record record;
    ring.format.sample_type |= PERF_SAMPLE_IDENTIFIER;
    for (int64_t time = 1; time < 100; time += 2) {
        write_switch(time);
        write_switch(time + 1);
        for (int64_t k = time; k < time + 2; k++) {
            ck_assert(perf_ring_peek(&ring, &record));
            ck_assert(perf_ring_peek(&ring, &record)); // the same one
            ck_assert_int_eq(record.time, k);
            perf_ring_release(&ring);
        }
        ck_assert(!perf_ring_peek(&ring, &record));
        ck_assert_uint_eq(page.data_tail, page.data_head);
    }
    ck_assert_uint_eq(ring.broken, 0);
}
END_TEST

START_TEST(test_ring_lies)
{
    static const uint64_t heads[] = {1, 7, 8, 24, RING + 8, UINT64_MAX};
    struct perf_record record;
    for (size_t i = 0; i < 2 * ARRAY_LENGTH(heads); i++) {
        struct perf_ring ring = ring_new();
        memset(data, i % 2 ? 0 : 0xff, sizeof data); // lengths of 65535 and of 0
        page.data_head = heads[i / 2];
        ck_assert(!perf_ring_peek(&ring, &record));
        ck_assert_uint_eq(ring.broken, 1);
        ck_assert_uint_eq(page.data_tail, heads[i / 2]);
        ck_assert(!perf_ring_peek(&ring, &record)); // it goes on behind
    }
}
END_TEST

// --- the kernel's ---

// A sleep is a switch away from the CPU and one back to it, at those times.
START_TEST(test_own_switches)
{
    struct perf_event_attr attr = perf_event_attr_new(0);
    struct perf_ring ring;
    struct perf_record record;
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.context_switch = 1;
    int fd = perf_event_new(&attr, 0, -1);
    SKIP_IF(fd < 0, "perf_event_open is not permitted");
    ck_assert(perf_ring_map(&ring, fd, 1 << 14, plain));
    int64_t before = clock_now();
    usleep(2000);
    int64_t after = clock_now(), out = 0, in = 0;
    for (; perf_ring_peek(&ring, &record); perf_ring_release(&ring)) {
        if (record.type != PERF_RECORD_SWITCH)
            continue;
        ck_assert_int_eq(record.tid, gettid());
        if (record.time < before || record.time > after)
            continue;
        if (record.misc & PERF_RECORD_MISC_SWITCH_OUT)
            out = out && (record.misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT) ? out : record.time;
        else
            in = record.time;
    }
    ck_assert_int_gt(out, 0);
    ck_assert_int_ge(in - out, 1000000);
    perf_ring_unmap(&ring);
    close(fd);
}
END_TEST

Suite *suite_perf_events(void);

Suite *suite_perf_events(void)
{
    TCase *tests = tcase_create("perf_events");
    tcase_add_test(tests, test_switch);
    tcase_add_test(tests, test_name_without_end);
    tcase_add_test(tests, test_birth);
    tcase_add_test(tests, test_lost);
    tcase_add_test(tests, test_sample);
    tcase_add_test(tests, test_cut);
    tcase_add_test(tests, test_ring_goes_round);
    tcase_add_test(tests, test_ring_lies);
    tcase_add_test(tests, test_own_switches);
    Suite *suite = suite_create("perf_events");
    suite_add_tcase(suite, tests);
    return suite;
}
