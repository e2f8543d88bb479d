// SPDX-License-Identifier: MIT
// Names for a profile of addresses, from files of this machine: the test program is one.
#include "profile/plain_symbolize.h"

#include <check.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/procfs.h"

static struct plain_profile *profile;
static char directory[] = "/tmp/symbolize.XXXXXX";

static void set_up(void)
{
    profile = plain_new();
    plain_add_type(profile, "samples", "count");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    setenv("PPROF_BINARY_PATH", directory, 1);
}

static void tear_down(void)
{
    plain_free(profile);
    AUTO_FREE char *command = xasprintf("rm -r '%s'", directory);
    ck_assert_int_eq(system(command), 0);
}

static void named_function(void)
{
}

// Adds the line of maps that the function lies in, under another name if one is given.
static uint32_t add_mapping(const char *file, const char *build_id)
{
    AUTO_BUF struct buf text = {0};
    struct proc_map map;
    uintptr_t address = (uintptr_t)named_function;
    ck_assert_int_eq(procfs_read(&text, "/proc/self/maps"), RC_OK);
    for (char *at = text.data; proc_map_parse(&at, &map);)
        if (map.start <= address && address < map.end)
            return plain_add_mapping(profile, (struct plain_mapping){
                .start = map.start,
                .limit = map.end,
                .offset = map.offset,
                .file = plain_text(profile, file ? file : map.path),
                .build_id = plain_text(profile, build_id),
            });
    ck_abort_msg("the test program is not mapped");
}

static uint32_t add_location(uint32_t mapping, uint64_t address)
{
    return plain_add_location(profile, mapping, address, NULL, 0);
}

static const char *name_of(uint32_t location)
{
    const struct plain_location *at = &profile->code.locations[location];
    if (!at->count)
        return "";
    uint32_t function = profile->code.lines[at->first + at->count - 1].function;
    return plain_string(profile, profile->code.functions[function].name);
}

static void add_copy_of_program(const char *below)
{
    AUTO_FREE char *command =
        xasprintf("mkdir -p '%s/%s' && cp /proc/%d/exe '%s/%s/program'", directory, below,
                  (int)getpid(), directory, below);
    ck_assert_int_eq(system(command), 0);
}

START_TEST(code_of_a_file_gets_names)
{
    uint32_t mapping = add_mapping(NULL, "");
    uint32_t inside = add_location(mapping, (uintptr_t)named_function);
    uint32_t nowhere = add_location(mapping, profile->code.mappings[mapping].limit + (1u << 30));
    uint32_t homeless = add_location(PLAIN_NONE, (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), 1);
    ck_assert_str_eq(name_of(inside), "named_function");
    ck_assert_str_eq(name_of(nowhere), "");
    ck_assert_str_eq(name_of(homeless), "");
    ck_assert(profile->code.mappings[mapping].has_functions);
}
END_TEST

START_TEST(names_that_are_there_stay)
{
    uint32_t mapping = add_mapping(NULL, "");
    uint32_t function =
        plain_add_function(profile, (struct plain_function){.name = plain_text(profile, "old")});
    struct plain_line line = {.function = function};
    uint32_t known = plain_add_location(profile, mapping, (uintptr_t)named_function, &line, 1);
    uint32_t new = add_location(mapping, (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), 1);
    ck_assert_str_eq(name_of(known), "old");
    ck_assert_str_eq(name_of(new), "named_function");
}
END_TEST

START_TEST(what_was_looked_up_is_not_looked_up_again)
{
    uint32_t mapping = add_mapping(NULL, "");
    profile->code.mappings[mapping].has_functions = true;
    add_location(mapping, (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), 0);
}
END_TEST

START_TEST(another_build_gives_no_names)
{
    add_location(add_mapping(NULL, "0123456789abcdef"), (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), 0);
}
END_TEST

START_TEST(files_that_are_none)
{
    static const char *const files[] = {"", "/", "[vdso]", "/dev/zero", "/proc/self/exe", "program",
                                        "/tmp", "/etc/passwd", "/nowhere/program"};
    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        add_location(add_mapping(files[i], ""), (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), 0);
}
END_TEST

START_TEST(files_are_found_where_pprof_finds_them)
{
    static const char *const below[] = {".", "nowhere", "0123"};
    add_copy_of_program(below[_i]);
    add_location(add_mapping("/nowhere/program", ""), (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), _i < 2 ? 1 : 0);
}
END_TEST

START_TEST(one_file_is_read_for_all_its_mappings)
{
    uint32_t first = add_location(add_mapping(NULL, ""), (uintptr_t)named_function);
    uint32_t second = add_location(add_mapping(NULL, ""), (uintptr_t)named_function);
    ck_assert_uint_eq(plain_symbolize(profile), 2);
    ck_assert_str_eq(name_of(first), name_of(second));
    ck_assert_uint_eq(profile->code.function_count, 1);
}
END_TEST

Suite *suite_plain_symbolize(void);

Suite *suite_plain_symbolize(void)
{
    TCase *tests = tcase_create("names from files");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, code_of_a_file_gets_names);
    tcase_add_test(tests, names_that_are_there_stay);
    tcase_add_test(tests, what_was_looked_up_is_not_looked_up_again);
    tcase_add_test(tests, another_build_gives_no_names);
    tcase_add_test(tests, files_that_are_none);
    tcase_add_loop_test(tests, files_are_found_where_pprof_finds_them, 0, 3);
    tcase_add_test(tests, one_file_is_read_for_all_its_mappings);
    Suite *suite = suite_create("plain_symbolize");
    suite_add_tcase(suite, tests);
    return suite;
}
