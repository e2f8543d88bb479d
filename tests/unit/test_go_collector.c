// SPDX-License-Identifier: MIT
// Statistics of Go's collector, in memory that is made here.
#include "heap/go_collector.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"

#define WORDS 900
#define AT 150 // where the statistics begin, in words

static void make(uint64_t *words, uint32_t count)
{
    uint64_t total = 0, last = 0;
    memset(words, 0, WORDS * sizeof *words);
    for (size_t i = 0; i < AT; i++)
        words[i] = i * 977 + 1; // other statistics
    uint64_t *pauses = words + AT + 2, *ends = pauses + GO_PAUSES;
    for (uint32_t i = 0; i < count; i++) {
        pauses[i % GO_PAUSES] = 1000 + i;
        ends[i % GO_PAUSES] = last = 1700000000000000000u + i;
        total += 1000 + i;
    }
    words[AT] = last;
    words[AT + 1] = total;
    words[AT + 2 + 2 * GO_PAUSES] = count | 3ull << 32;
    double fraction = 0.25;
    memcpy(&words[AT + 3 + 2 * GO_PAUSES], &fraction, sizeof fraction);
}

static bool find(const uint64_t *words, struct go_collector *collector)
{
    return go_collector_find((const unsigned char *)words, WORDS * sizeof *words, collector);
}

static const uint32_t counts[] = {1, 2, 255, 256, 257, 1000};

START_TEST(collections)
{
    struct go_collector collector = {0};
    uint64_t words[WORDS];
    uint32_t count = counts[_i];
    make(words, count);
    ck_assert(find(words, &collector));
    ck_assert_uint_eq(collector.count, count);
    ck_assert_uint_eq(collector.forced, 3);
    ck_assert_uint_eq(collector.last, 1700000000000000000u + count - 1);
    ck_assert_uint_eq(collector.pause_count, count < GO_PAUSES ? count : GO_PAUSES);
    ck_assert_uint_eq(collector.pauses[0], 1000 + count - 1);
    ck_assert_uint_eq(collector.pause_total, 1000ull * count + count * (count - 1ull) / 2);
    ck_assert_double_eq(collector.cpu_fraction, 0.25);
}
END_TEST

START_TEST(no_collection_yet)
{
    struct go_collector collector = {0};
    uint64_t words[WORDS];
    make(words, 0);
    memset(words + AT, 0, (WORDS - AT) * sizeof *words);
    ck_assert(find(words, &collector));
    ck_assert_uint_eq(collector.count, 0);
    ck_assert_uint_eq(collector.pause_count, 0);
}
END_TEST

// Half of a collection's end has been written.
START_TEST(just_being_changed)
{
    struct go_collector collector = {0};
    uint64_t words[WORDS];
    make(words, 10);
    words[AT]++;
    ck_assert(!find(words, &collector));
    make(words, 10);
    words[AT + 1]++; // pauses do not add up
    ck_assert(!find(words, &collector));
    ck_assert(!go_collector_find((const unsigned char *)words, 8, &collector));
}
END_TEST

// --- the pace

#define PAGE 8192ull

static void make_pace(uint64_t *words, size_t goal)
{
    memset(words, 0, 50 * sizeof *words);
    words[1] = INT64_MAX; // no memory limit
    words[goal] = 5000000;
    words[goal + 1] = 5100000; // as sweeping wants it
    words[goal + 2] = UINT64_MAX; // no collection goes on
    words[goal + 25] = 400 * PAGE;
    words[goal + 26] = 10 * PAGE;
    words[goal + 27] = 5 * PAGE;
    words[goal + 28] = 900 * PAGE;
    words[goal + 29] = 600 * PAGE;
    words[goal + 30] = 500 * PAGE;
}

static bool find_pace(const uint64_t *words, struct go_collector *collector)
{
    *collector = (struct go_collector){0};
    return go_collector_find_pace((const unsigned char *)words, 50 * sizeof *words, collector);
}

static const size_t goals[] = {13, 9}; // of 1.19 and 1.26, in words

START_TEST(pace)
{
    struct go_collector collector;
    uint64_t words[50];
    size_t goal = goals[_i];
    make_pace(words, goal);
    ck_assert(find_pace(words, &collector));
    ck_assert_uint_eq(collector.total_alloc, 900 * PAGE);
    ck_assert_uint_eq(collector.goal, 5100000);
    ck_assert_ptr_null(collector.goal_why);
    words[goal + 2] = 5200000; // one has begun late
    ck_assert(find_pace(words, &collector));
    ck_assert_uint_eq(collector.goal, 5200000 + 65536);
    words[1] = 1 << 30;
    ck_assert(find_pace(words, &collector));
    ck_assert_ptr_nonnull(collector.goal_why);
    words[goal + 29] = 901 * PAGE; // more was freed than allocated
    ck_assert(!find_pace(words, &collector));
}
END_TEST

Suite *suite_go_collector(void)
{
    Suite *suite = suite_create("go_collector");
    TCase *tests = tcase_create("go_collector");
    tcase_add_loop_test(tests, collections, 0, ARRAY_LENGTH(counts));
    tcase_add_test(tests, no_collection_yet);
    tcase_add_test(tests, just_being_changed);
    tcase_add_loop_test(tests, pace, 0, ARRAY_LENGTH(goals));
    suite_add_tcase(suite, tests);
    return suite;
}
