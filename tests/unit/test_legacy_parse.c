// SPDX-License-Identifier: MIT
// Profiles of gperftools, jemalloc and Go's texts. The numbers were compared with `go tool pprof
// -raw` of the same files, as far as it reads them (tests/peers/test_legacy.py does so again).
#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_parse.h"

#define MAPS                                                                                       \
    "55f212941000-55f212942000 r--p 00000000 00:00 9978894     /tmp/app\n"                        \
    "55f212942000-55f212943000 r-xp 00001000 00:00 9978894     /tmp/app\n"                        \
    "7fe0fde44000-7fe0fdf9a000 r-xp 00026000 00:00 326591      /usr/lib/libc.so.6\n"              \
    "7ffc1b2d0000-7ffc1b2d2000 r-xp 00000000 00:00 0           [vdso]\n"

// --- heaps ---

static const char tcmalloc[] =
    "heap profile:   6667:  3997033 [ 20000: 11990000] @ heapprofile\n"
    "  6667:  3997033 [ 20000: 11990000] @ 0x55f21294216b 0x55f2129421cd 0x7fe0fde4524a\n"
    "     0:        0 [     3:      300] @ 0x55f21294216b\n"
    "\nMAPPED_LIBRARIES:\n" MAPS;

START_TEST(a_heap_of_tcmalloc)
{
    parse_check(tcmalloc, "alloc_objects/count alloc_space/bytes inuse_objects/count "
                          "inuse_space/bytes | period 1\n"
                          "20000 11990000 6667 3997033 bytes=599 : "
                          "0x7fe0fde45249@libc.so.6;0x55f2129421cc@app;0x55f21294216a@app\n"
                          "3 300 0 0 bytes=100 : 0x55f21294216a@app\n");
}
END_TEST

START_TEST(samples_of_a_heap_are_scaled)
{
    parse_check("heap profile: 2: 200 [2: 200] @ heap_v2/524288\n"
                "1: 100 [1: 100] @ 0x2\n"
                "1: 1048576 [1: 1048576] @ 0x3\n",
                "objects/count space/bytes | period 524288\n"
                "5243 524338 bytes=100 : 0x1\n"
                "1 1212696 bytes=1048576 : 0x2\n");
}
END_TEST

START_TEST(heaps_of_other_kinds)
{
    parse_check("heap profile: 1: 2 [1: 2] @ heap/1048576\n1: 1048576 [1: 1048576] @ 0x3\n",
                "objects/count space/bytes | period 524288\n1 1212696 bytes=1048576 : 0x2\n");
    parse_check("heap profile: 1: 2 [3: 4] @ heap\n1: 100 [1: 100] @ 0x3\n",
                "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes\n"
                "1 100 1 100 bytes=100 : 0x2\n");
    parse_check("heap profile: 1: 2 [3: 4] @ growthz\n1: 100 [1: 100] @ 0x3\n",
                "objects/count space/bytes | period 1\n1 100 bytes=100 : 0x2\n");
    parse_check("heap profile: 1: 2 [3: 4] @ fragmentation\n-1: -100 [1: 100] @ 0x3\n",
                "objects/count space/bytes | period 1\n-1 -100 bytes=100 : 0x2\n");
}
END_TEST

START_TEST(names_that_go_tells_in_comments)
{
    parse_check("heap profile: 1: 8 [2: 16] @ heap/2\n"
                "1: 8 [2: 16] @ 0x4a1 0x4b1 0x4c1\n"
                "#\t0x4a0\tmain.inner+0x1f\t\t/src/main.go:12\n"
                "#\t0x4a0\tmain.outer[...]+0x2f\t/src/main.go:20\n"
                "#\t0x4b0\tmain.main+0x30\t\t/src/main.go:30\n"
                "\n"
                "# runtime.MemStats\n"
                "# Alloc = 232960\n",
                "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes"
                " | period 1\n"
                "2 16 1 8 bytes=8 : 0x4c0;main.main /src/main.go:30;"
                "main.outer[...] /src/main.go:20;main.inner /src/main.go:12(inlined)\n");
}
END_TEST

START_TEST(heaps_that_are_wrong)
{
    parse_check_refused("heap profile: nothing\n", "line 1 has no sums");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heapless\n", "does not know");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/x\n", "behind '/'");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/2\n1: 2 3: 4 @ 0x1\n", "line 2 is no");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/2\n\n1: 2 [3: 4] 0x1\n", "line 3 is no");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/2\n0: 2 [3: 4] @ 0x1\n", "without obj");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/2\n1: 2 [3: 4] @ x1\n", "no address");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/2\n"
                        "1: 2 [3: 4] @ 0x11111111111111111\n", "no address");
    parse_check_refused("heap profile: 1: 2 [3: 4] @ heap/2\n"
                        "99999999999999999999: 2 [3: 4] @ 0x1\n", "line 2 is no");
}
END_TEST

START_TEST(values_stay_within_their_bounds)
{
    parse_check("heap profile: 1: 2 [1: 2] @ heap_v2/9223372036854775807\n"
                "9223372036854775807: 9223372036854775807 [0: 0] @ 0x1\n"
                "-1: 9223372036854775807 [0: 0] @ 0x2\n",
                "objects/count space/bytes | period 9223372036854775807\n"
                "9223372036854775807 9223372036854775807 bytes=1 : 0x0\n"
                "0 -5367787684239374336 bytes=-9223372036854775807 : 0x1\n");
}
END_TEST

// --- jemalloc ---

static const char jemalloc[] =
    "heap_v2/524288\n"
    "  t*: 3: 1048676 [0: 0]\n"
    "  t0: 1: 100 [0: 0] main\n"
    "  t1: 2: 1048576 [0: 0]\n"
    "@ 0x55f21294216b 0x7fe0fde4524a\n"
    "  t*: 1: 100 [0: 0]\n"
    "  t0: 1: 100 [0: 0]\n"
    "@ 0x55f2129421cd\n"
    "  t*: 1: 1048576 [0: 0]\n"
    "  t1: 1: 1048576 [0: 0]\n"
    "\nMAPPED_LIBRARIES:\n" MAPS;

START_TEST(a_heap_of_jemalloc)
{
    parse_check(jemalloc, "objects/count space/bytes | period 524288\n"
                          "5243 524338 bytes=100 : 0x7fe0fde45249@libc.so.6;0x55f21294216a@app\n"
                          "1 1212696 bytes=1048576 : 0x55f2129421cc@app\n");
}
END_TEST

START_TEST(allocations_of_jemalloc)
{
    parse_check("heap_v2/1\n t*: 3: 30 [4: 40]\n@ 0x2\n t*: 3: 30 [4: 40]\n",
                "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes"
                " | period 1\n4 40 3 30 bytes=10 : 0x1\n");
}
END_TEST

START_TEST(heaps_of_jemalloc_that_are_wrong)
{
    parse_check_refused("heap_v2/x\n", "line 1 does not say");
    parse_check_refused("heap_v2/1\n", "is its last one");
    parse_check_refused("heap_v2/1\n@ 0x2\n", "line 2 has a stack, but no line before it");
    parse_check_refused("heap_v2/1\n t*: 3: 30 [4: 40]\n@ 0x2\n", "is its last one");
    parse_check_refused("heap_v2/1\n t*: 3: 30 [4: 40]\n@ 0x2\n@ 0x3\n", "the one before it");
    parse_check_refused("heap_v2/1\n t*: 3: 30 [4: 40]\n t*: 1: 1 [0: 0]\n", "no stack is before");
    parse_check_refused("heap_v2/1\n t*: 3: 30\n", "line 2 has no counts");
    parse_check_refused("heap_v2/1\n t*: 3: 30 [4: 40]\nx\n", "line 3 is of no heap profile");
}
END_TEST

// --- locks and counts ---

static const char mutex[] = "--- mutex:\n"
                            "cycles/second=2000000000\n"
                            "sampling period=5\n"
                            "4000000 3 @ 0x4a1 0x4b1\n"
                            "#\t0x4a0\tsync.(*Mutex).Unlock+0x30\t/sync/mutex.go:223\n"
                            "\n"
                            "100 1 @ 0x4b1\n";

START_TEST(contentions)
{
    parse_check(mutex, "contentions/count delay/nanoseconds | period 5\n"
                       "15 10000000 : 0x4b0;sync.(*Mutex).Unlock /sync/mutex.go:223\n"
                       "5 250 : 0x4b0\n");
    parse_check("--- contentionz 1 ---\nms since reset = 7\ndiscarded samples=0\n 1 2 @ 0x2\n"
                "--- Memory map: ---\n" MAPS,
                "contentions/count delay/nanoseconds | period 1 | duration 7000000\n2 1 : 0x1\n");
    parse_check_refused("--- mutex:\nformat = java\n1 2 @ 0x2\n", "line 2 says what ptprof");
    parse_check_refused("--- mutex:\ncycles/second = x\n1 2 @ 0x2\n", "line 2 says what ptprof");
    parse_check_refused("--- contention:\n1 @ 0x2\n", "line 2 is no sample of contentions");
    parse_check_refused("--- contention:\n-1 1 @ 0x2\n", "line 2 is no sample of contentions");
}
END_TEST

static const char goroutines[] = "goroutine profile: total 5\n"
                                 "3 @ 0x4a1 0x4b1\n"
                                 "# labels: {\"k\":\"v\"}\n"
                                 "#\t0x4a0\tmain.work+0x30\t/src/main.go:12\n"
                                 "\n"
                                 "2 @\n"
                                 "--- Memory map: ---\n"
                                 "000000a0-00004000 r-xp 00000000 00:00 7 /a\n";

START_TEST(counts_of_stacks)
{
    parse_check(goroutines, "goroutine/count | period 1\n"
                            "3 : 0x4b0@a;main.work@a /src/main.go:12\n2 : \n");
    parse_check_refused("threadcreate profile: total 2\n1 0x2\n", "line 2 is no count");
}
END_TEST

// --- CPU profiles ---

static void put_words(struct buf *out, const uint64_t *words, size_t count)
{
    buf_append(out, words, count * sizeof *words);
}

#define PUT_WORDS(out, ...)                                                                        \
    put_words((out), (const uint64_t[]){__VA_ARGS__},                                              \
              ARRAY_LENGTH(((const uint64_t[]){__VA_ARGS__})))

static void check_cpu(const struct buf *bytes, const char *expected)
{
    AUTO_BUF struct buf shown = {0};
    parse_describe(bytes->data, bytes->length, &shown);
    ck_assert_msg(strcmp(shown.data, expected) == 0, "%sinstead of\n%s", shown.data, expected);
}

START_TEST(a_cpu_profile)
{
    AUTO_BUF struct buf bytes = {0};
    PUT_WORDS(&bytes, 0, 3, 0, 10000, 0);
    PUT_WORDS(&bytes, 3, 2, 0x55f212942100, 0x7fe0fde4524a);
    PUT_WORDS(&bytes, 1, 2, 0x55f212942100, 0x55f2129421cd);
    PUT_WORDS(&bytes, 2, 1, 0x55f212942200);
    PUT_WORDS(&bytes, 0, 1, 0);
    buf_puts(&bytes, MAPS);
    check_cpu(&bytes, "samples/count cpu/nanoseconds | period 10000000\n"
                      "3 30000000 : 0x7fe0fde45249@libc.so.6;0x55f212942100@app\n"
                      "1 10000000 : 0x55f2129421cc@app;0x55f212942100@app\n"
                      "2 20000000 : 0x55f212942200@app\n");
    parse_check_damaged(bytes.data, bytes.length);
}
END_TEST

START_TEST(frames_of_the_handler_go)
{
    AUTO_BUF struct buf bytes = {0};
    PUT_WORDS(&bytes, 0, 3, 0, 1000, 0);
    PUT_WORDS(&bytes, 1, 5, 0x10, 0x901, 0x902, 0x11, 0x21);
    PUT_WORDS(&bytes, 1, 4, 0x20, 0x901, 0x902, 0x31);
    PUT_WORDS(&bytes, 1, 4, 0x40, 0x901, 0x902, 0x40);
    PUT_WORDS(&bytes, 0, 1, 0);
    check_cpu(&bytes, "samples/count cpu/nanoseconds | period 1000000\n"
                      "1 1000000 : 0x20;0x10;0x10\n"
                      "1 1000000 : 0x30;0x20\n"
                      "1 1000000 : 0x40\n");
    // Behind the first leaf of the last record is the same place again, as the stack tells it.
    bytes.length = 0;
    PUT_WORDS(&bytes, 0, 3, 0, 1000, 0);
    PUT_WORDS(&bytes, 1, 3, 0x40, 0x40, 0x51);
    PUT_WORDS(&bytes, 1, 3, 0x60, 0x71, 0x51);
    check_cpu(&bytes, "samples/count cpu/nanoseconds | period 1000000\n"
                      "1 1000000 : 0x50;0x40\n"
                      "1 1000000 : 0x50;0x70;0x60\n");
}
END_TEST

START_TEST(cpu_profiles_that_are_not_read)
{
    static const uint32_t narrow[] = {0, 3, 0, 10000, 0};
    AUTO_BUF struct buf bytes = {0};
    buf_append(&bytes, narrow, sizeof narrow);
    check_cpu(&bytes, "error: it is the CPU profile of a 32-bit program, which ptprof does not "
                      "read; `go tool pprof -proto -output=FILE.pb.gz FILE` converts it\n");
    bytes.length = 0;
    PUT_WORDS(&bytes, 0, __builtin_bswap64(3), 0, __builtin_bswap64(10000), 0);
    check_cpu(&bytes, "error: it is the CPU profile of a big-endian program, which ptprof does not "
                      "read; `go tool pprof -proto -output=FILE.pb.gz FILE` converts it\n");
    bytes.length = 0;
    PUT_WORDS(&bytes, 0, 3, 1, 10000, 0);
    check_cpu(&bytes, "error: it is the CPU profile of a Java program, which ptprof does not "
                      "read; `go tool pprof -proto -output=FILE.pb.gz FILE` converts it\n");
    bytes.length = 0;
    PUT_WORDS(&bytes, 0, 3, 0, 10000, 0, 1, UINT64_MAX, 7);
    check_cpu(&bytes, "error: it ends at byte 64 within a record: the program that wrote it was "
                      "ended before ProfilerStop, or the file is not complete\n");
}
END_TEST

// --- mappings ---

// What google/pprof puts right of maps, each with an address in it.
START_TEST(mappings_are_put_right)
{
    struct plain_profile *profile;
    const char text[] = "goroutine profile: total 5\n"
                        "1 @ 0x401001 0x700001 0x7fe0fde40001 0x1\n"
                        "--- Memory map: ---\n"
                        "7fe0fde44000-7fe0fdf9a000 r-xp 00026000 00:00 326591 /lib/libc.so.6\n"
                        "00401000-00402000 r-xp 00001000 00:00 7 /a (deleted)\n"
                        "00700000-00701000 r-xp 00000000 00:00 7 /b\n"
                        "00701000-00702000 r-xp 00001000 00:00 7 /b\n"
                        "00900000-00901000 r-xp 00001000 00:00 7 /not/used\n";
    static const struct {
        const char *file;
        uint64_t start, limit, offset;
    } expected[] = {{"/a", 0x400000, 0x402000, 0},
                    {"/lib/libc.so.6", 0x7fe0fde1e000, 0x7fe0fdf9a000, 0},
                    {"/b", 0x700000, 0x702000, 0}};
    ck_assert_int_eq(parser_parse(text, sizeof text - 1, &profile, NULL), RC_OK);
    ck_assert_uint_eq(profile->code.mapping_count, ARRAY_LENGTH(expected));
    for (size_t i = 0; i < ARRAY_LENGTH(expected); i++) {
        const struct plain_mapping *mapping = &profile->code.mappings[i];
        ck_assert_str_eq(plain_string(profile, mapping->file), expected[i].file);
        ck_assert_uint_eq(mapping->start, expected[i].start);
        ck_assert_uint_eq(mapping->limit, expected[i].limit);
        ck_assert_uint_eq(mapping->offset, expected[i].offset);
    }
    ck_assert_uint_eq(profile->code.locations[0].mapping, 0);
    ck_assert_uint_eq(profile->code.locations[1].mapping, 2);
    ck_assert_uint_eq(profile->code.locations[2].mapping, 1);
    ck_assert_uint_eq(profile->code.locations[3].mapping, PLAIN_NONE);
    plain_free(profile);
}
END_TEST

START_TEST(damaged)
{
    parse_check_damaged(tcmalloc, sizeof tcmalloc - 1);
    parse_check_damaged(jemalloc, sizeof jemalloc - 1);
    parse_check_damaged(mutex, sizeof mutex - 1);
    parse_check_damaged(goroutines, sizeof goroutines - 1);
}
END_TEST

// Many addresses times many mappings.
START_TEST(many_of_everything)
{
    enum { MANY = 100000 };
    AUTO_BUF struct buf text = {0};
    struct plain_profile *profile;
    buf_puts(&text, "goroutine profile: total 5\n");
    for (unsigned i = 0; i < MANY; i++)
        buf_printf(&text, "1 @ 0x%x 0x%x\n", i * 0x1000 + 0x11, i * 0x1000 + 0x811);
    buf_puts(&text, "--- Memory map: ---\n");
    for (unsigned i = 0; i < MANY; i++)
        buf_printf(&text, "%x-%x r-xp %x 00:00 7 /%u\n", i * 0x1000 + 0x10,
                   i * 0x1000 + 0x20, 0x1000, i);
    ck_assert_int_eq(parser_parse(text.data, text.length, &profile, NULL), RC_OK);
    ck_assert_uint_eq(profile->code.mapping_count, MANY);
    plain_free(profile);
}
END_TEST

Suite *suite_legacy_parse(void);

Suite *suite_legacy_parse(void)
{
    TCase *tests = tcase_create("legacy profiles");
    tcase_add_test(tests, a_heap_of_tcmalloc);
    tcase_add_test(tests, samples_of_a_heap_are_scaled);
    tcase_add_test(tests, heaps_of_other_kinds);
    tcase_add_test(tests, names_that_go_tells_in_comments);
    tcase_add_test(tests, heaps_that_are_wrong);
    tcase_add_test(tests, values_stay_within_their_bounds);
    tcase_add_test(tests, a_heap_of_jemalloc);
    tcase_add_test(tests, allocations_of_jemalloc);
    tcase_add_test(tests, heaps_of_jemalloc_that_are_wrong);
    tcase_add_test(tests, contentions);
    tcase_add_test(tests, counts_of_stacks);
    tcase_add_test(tests, a_cpu_profile);
    tcase_add_test(tests, frames_of_the_handler_go);
    tcase_add_test(tests, cpu_profiles_that_are_not_read);
    tcase_add_test(tests, mappings_are_put_right);
    tcase_add_test(tests, damaged);
    tcase_add_test(tests, many_of_everything);
    Suite *suite = suite_create("legacy_parse");
    suite_add_tcase(suite, tests);
    return suite;
}
