// SPDX-License-Identifier: MIT
// Texts as Go's programs write them with ?debug=1, and what our own parsers read back.
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "fixture_parse.h"
#include "fixture_plain.h"
#include "output/legacy_text.h"
#include "profile/block_profile.h"
#include "profile/types.h"

static struct plain_profile *profile;
static uint32_t app, leaf, caller; // a mapping, and locations
static const char *name; // of the profile

static struct plain_line line_of(const char *function_name, const char *file, int64_t number)
{
    const struct plain_function function = {.name = plain_text(profile, function_name),
                                            .file = plain_text(profile, file)};
    return (struct plain_line){.function = plain_add_function(profile, function), .line = number};
}

static void begin(enum profile_kind kind)
{
    profile = plain_new();
    name = kind == PROFILE_THREADS ? "goroutine" : profile_types[kind].name;
    profile_type_add(&profile_types[kind], profile);
    app = fixture_mapping(profile, "/tmp/my app", "", 0x401000);
    const struct plain_line lines[] = {line_of("inner<int>", "/src/a.c", 12),
                                       line_of("a_name_of_many_letters", "/src/a.c", 30)};
    leaf = plain_add_location(profile, app, 0x401100, lines, 2);
    profile->code.locations[leaf].inside = 0x21;
    caller = plain_add_location(profile, app, 0x401200,
                                (struct plain_line[]){line_of("main", "", 0)}, 1);
}

static void add(const uint32_t *stack, size_t depth, const char *thread, const int64_t *values)
{
    uint32_t set = plain_with_text(profile, 0, "thread", thread);
    plain_add(profile, plain_sample(profile, plain_stack(profile, stack, depth), set), values);
}

static char *written(void)
{
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    ck_assert_int_eq(legacy_text_write(profile, name, out, NULL), RC_OK);
    fclose(out);
    plain_free(profile);
    return text;
}

// Says whether the text is this one, and reads back as that.
static void check(const char *text, const char *expected)
{
    AUTO_FREE char *own = written();
    ck_assert_str_eq(own, text);
    parse_check(own, expected);
}

#define STACK                                                                                      \
    "#\t0x401100\tinner<int>+0x20\t\t\t/src/a.c:12\n"                                              \
    "#\t0x401100\ta_name_of_many_letters+0x20\t/src/a.c:30\n"                                      \
    "#\t0x401200\tmain\n\n"
#define MAP "--- Memory map: ---\n00401000-00402000 r-xp 00002000 00:00 0 /tmp/my app\n"
#define READ                                                                                       \
    "main@my app;a_name_of_many_letters@my app /src/a.c:30;"                                       \
    "inner<int>@my app /src/a.c:12(inlined)\n"

START_TEST(threads_with_one_stack_are_together)
{
    begin(PROFILE_THREADS);
    add((uint32_t[]){caller}, 1, "a", (int64_t[]){1});
    add((uint32_t[]){leaf, caller}, 2, "b", (int64_t[]){1});
    add((uint32_t[]){leaf, caller}, 2, "c", (int64_t[]){1});
    add((uint32_t[]){leaf}, 1, "d", (int64_t[]){0});
    check("goroutine profile: total 3\n"
          "2 @ 0x401101 0x401201\n" STACK
          "1 @ 0x401201\n"
          "#\t0x401200\tmain\n\n" MAP,
          "goroutine/count | period 1\n2 : " READ "1 : main@my app\n");
}
END_TEST

START_TEST(a_stack_without_frames_has_an_address)
{
    begin(PROFILE_THREADCREATE);
    add(NULL, 0, "", (int64_t[]){6});
    check("threadcreate profile: total 6\n6 @ 0x1\n\n" MAP,
          "threadcreate/count | period 1\n6 : 0x0\n");
}
END_TEST

START_TEST(waits)
{
    begin(PROFILE_BLOCK);
    add((uint32_t[]){caller}, 1, "a", (int64_t[]){7, 100});
    add((uint32_t[]){leaf, caller}, 2, "b", (int64_t[]){3, 4000000000});
    check("--- contention:\ncycles/second=1000000000\n"
          "4000000000 3 @ 0x401101 0x401201\n" STACK
          "100 7 @ 0x401201\n"
          "#\t0x401200\tmain\n\n" MAP,
          "contentions/count delay/nanoseconds | period 1\n3 4000000000 : " READ
          "7 100 : main@my app\n");
}
END_TEST

START_TEST(locks)
{
    begin(PROFILE_MUTEX);
    add((uint32_t[]){leaf, caller}, 2, "a", (int64_t[]){3, 40});
    add((uint32_t[]){leaf, caller}, 2, "b", (int64_t[]){1, 2});
    check("--- mutex:\ncycles/second=1000000000\nsampling period=1\n"
          "42 4 @ 0x401101 0x401201\n" STACK MAP,
          "contentions/count delay/nanoseconds | period 1\n4 42 : " READ);
}
END_TEST

START_TEST(blocks_of_memory)
{
    struct block_profile making;
    block_profile_begin(&making, 0, NULL);
    block_profile_add(&making, &(struct block_count){
        .allocator = "glibc", .arena = "", .kind = "text", .what = "a\tb\n", .size = 16,
        .blocks = 5, .bytes = 80});
    block_profile_add(&making, &(struct block_count){
        .allocator = "glibc", .arena = "", .kind = "", .what = "", .size = 32, .blocks = 2,
        .bytes = 64});
    profile = block_profile_end(&making);
    name = "heap";
    AUTO_FREE char *text = written();
    static const char head[] = "heap profile: 7: 144 [7: 144] @ heap/2\n5: 80 [5: 80] @ 0x";
    ck_assert_msg(strncmp(text, head, sizeof head - 1) == 0, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "\ta\\x09b\\x0a\n"));
    parse_check(text, "objects/count space/bytes | period 1\n"
                      "5 80 bytes=16 : glibc@[heap](made);text@[text];a\\x09b\\x0a@[text]\n"
                      "2 64 bytes=32 : glibc@[heap](made)\n");
}
END_TEST

START_TEST(memory_that_was_allocated)
{
    begin(PROFILE_HEAP);
    add((uint32_t[]){caller}, 1, "", (int64_t[]){9, 900, 2, 200});
    check("heap profile: 2: 200 [9: 900] @ heap/2\n"
          "2: 200 [9: 900] @ 0x401201\n#\t0x401200\tmain\n\n" MAP,
          "alloc_objects/count alloc_space/bytes inuse_objects/count inuse_space/bytes | period 1\n"
          "9 900 2 200 bytes=100 : main@my app\n");
}
END_TEST

START_TEST(names_with_a_plus)
{
    name = "goroutine";
    profile = plain_new();
    profile_type_add(&profile_types[PROFILE_THREADS], profile);
    app = fixture_mapping(profile, "/lib/a.so", "", 0x401000);
    add((uint32_t[]){fixture_location(profile, app, 0x401000, "operator+"),
                     fixture_location(profile, app, 0x401008, "a.so+0x30")}, 2, "",
        (int64_t[]){1});
    check("goroutine profile: total 1\n1 @ 0x401001 0x401009\n"
          "#\t0x401000\toperator+\n#\t0x401008\ta.so+0x30\n\n"
          "--- Memory map: ---\n00401000-00402000 r-xp 00002000 00:00 0 /lib/a.so\n",
          "goroutine/count | period 1\n1 : a.so@a.so;operator+@a.so\n");
}
END_TEST

Suite *suite_legacy_text(void);

Suite *suite_legacy_text(void)
{
    TCase *tests = tcase_create("texts of Go's programs");
    tcase_add_test(tests, threads_with_one_stack_are_together);
    tcase_add_test(tests, a_stack_without_frames_has_an_address);
    tcase_add_test(tests, waits);
    tcase_add_test(tests, locks);
    tcase_add_test(tests, blocks_of_memory);
    tcase_add_test(tests, memory_that_was_allocated);
    tcase_add_test(tests, names_with_a_plus);
    Suite *suite = suite_create("legacy_text");
    suite_add_tcase(suite, tests);
    return suite;
}
