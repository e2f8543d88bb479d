// SPDX-License-Identifier: MIT
// Where source files are found, and what is shown of hostile ones.
#include "output/source_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/path.h"

static char directory[32];
static struct source_file file;
static struct source_places places;
static const char *below[1];

static void set_up(void)
{
    strcpy(directory, "/tmp/ptprof-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    file = (struct source_file){0};
    below[0] = directory;
    places = (struct source_places){.directories = below, .directory_count = 1};
}

static void tear_down(void)
{
    AUTO_FREE char *command = xasprintf("rm -r %s", directory);
    source_file_fini(&file);
    ck_assert_int_eq(system(command), 0);
}

static void make_file(const char *name, const void *bytes, size_t length)
{
    AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
    FILE *made = fopen(path, "w");
    ck_assert_ptr_nonnull(made);
    ck_assert_uint_eq(fwrite(bytes, 1, length, made), length);
    fclose(made);
}

static void make_text(const char *name, const char *text)
{
    make_file(name, text, strlen(text));
}

static void make_directory(const char *name)
{
    AUTO_FREE char *path = xasprintf("%s/%s", directory, name);
    ck_assert_int_eq(mkdir(path, 0700), 0);
}

static void check_clean(const char *path, const char *expected)
{
    AUTO_BUF struct buf clean = {0};
    path_clean(&clean, path);
    ck_assert_str_eq(clean.data, expected);
}

START_TEST(paths_are_cleaned_as_Go_does)
{
    static const char *const cases[][2] = {
        {"", "."},           {"/", "/"},          {"a/b.c", "a/b.c"},   {"./a//b.c", "a/b.c"},
        {"a/../b", "b"},     {"a/..", "."},       {"/..", "/"},         {"/../a/", "/a"},
        {"../../a", "../../a"}, {"../a/../b", "../b"}, {"../a/../../b", "../../b"},
        {"a/b/../../c", "c"}, {"/a/./b/..", "/a"}, {"...", "..."},       {"a/.b", "a/.b"},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        check_clean(cases[i][0], cases[i][1]);
}
END_TEST

static void check_found(const char *name, const char *where)
{
    struct err err = {0};
    source_file_fini(&file);
    enum rc rc = source_file_read(&file, &places, name, &err);
    if (!where) {
        ck_assert_msg(rc != RC_OK, "%s is found at %s", name, file.path);
        ck_assert_ptr_null(file.path);
        return;
    }
    AUTO_FREE char *path = xasprintf("%s/%s", directory, where);
    ck_assert_msg(rc == RC_OK, "%s: %s", name, err.text);
    ck_assert_str_eq(file.path, path);
}

START_TEST(a_file_is_found_where_it_was_and_below_a_directory)
{
    make_directory("src");
    make_text("src/a.c", "one\n");
    make_text("a.c", "another\n");
    AUTO_FREE char *whole = xasprintf("%s/src/../a.c", directory);
    check_found(whole, "a.c");
    check_found("/nowhere/build/src/a.c", "src/a.c");
    check_found("/nowhere/other/a.c", "a.c");
    check_found("../../src/a.c", "src/a.c");
    check_found("src/a.c", "src/a.c");
    check_found("/nowhere/b.c", NULL);
    check_found("/nowhere/..", NULL);
    check_found("", NULL);
    AUTO_FREE char *inner = xasprintf("%s/src", directory);
    below[0] = inner; // "../x" would lead out of it
    make_text("x", "outside\n");
    check_found("../x", NULL);
    below[0] = directory;
    places.directory_count = 0;
    check_found("src/a.c", NULL);
    check_found(whole, "a.c");
}
END_TEST

START_TEST(a_trimmed_path_is_only_found_below_a_directory)
{
    AUTO_FREE char *deep = xasprintf("%s/deep", directory);
    AUTO_FREE char *whole = xasprintf("%s/deep/a.c", directory);
    const char *trims[] = {deep};
    make_directory("deep");
    make_text("deep/a.c", "there\n");
    places.trims = trims;
    places.trim_count = 1;
    check_found(whole, NULL);
    make_text("a.c", "here\n");
    check_found(whole, "a.c");
    trims[0] = "/nowhere/de";
    check_found(whole, "deep/a.c");
}
END_TEST

START_TEST(what_is_no_text_is_not_shown)
{
    AUTO_FREE char *fifo = xasprintf("%s/fifo", directory);
    AUTO_FREE char *device = xasprintf("%s/device", directory);
    AUTO_FREE char *huge = xasprintf("%s/huge", directory);
    AUTO_FREE char *proc = xasprintf("%s/proc", directory);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink("/dev/zero", device), 0);
    ck_assert_int_eq(symlink("/proc/self/environ", proc), 0);
    make_file("binary", "\177ELF\0\n", 6);
    make_file("huge", "x\n", 2);
    ck_assert_int_eq(truncate(huge, 1ll << 40), 0);
    static const char *const names[] = {"fifo", "device", "proc", "binary", "huge"};
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        check_found(names[i], NULL);
}
END_TEST

static void check_line(int64_t line, const char *expected)
{
    AUTO_BUF struct buf out = {0};
    buf_puts(&out, "");
    source_file_line(&file, line, &out);
    ck_assert_str_eq(out.data ? out.data : "", expected);
}

START_TEST(lines_are_harmless)
{
    make_text("a.c", "one\r\n\ttwo\t\x1b[2J\n\xff\n\nlast");
    check_found("a.c", "a.c");
    ck_assert_uint_eq(file.line_count, 5);
    check_line(0, "");
    check_line(1, "one");
    check_line(2, "\ttwo\t\\x1b[2J");
    check_line(3, "\\xff");
    check_line(4, "");
    check_line(5, "last");
    check_line(6, "");
    check_line(INT64_MAX, "");
    check_line(INT64_MIN, "");
    make_text("empty", "");
    check_found("empty", "empty");
    check_line(1, "");
}
END_TEST

START_TEST(long_lines_are_cut_between_characters)
{
    char text[2048] = "";
    AUTO_BUF struct buf out = {0};
    for (size_t i = 0; i < 500; i++)
        strcat(text, "\u00e9");
    strcat(text, "\nshort\n");
    make_text("long", text);
    check_found("long", "long");
    source_file_line(&file, 1, &out);
    ck_assert_uint_eq(out.length, 303);
    ck_assert_str_eq(out.data + 298, "\u00e9...");
    check_line(2, "short");
}
END_TEST

Suite *suite_source_file(void);
Suite *suite_source_file(void)
{
    Suite *suite = suite_create("source_file");
    TCase *tests = tcase_create("source_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, paths_are_cleaned_as_Go_does);
    tcase_add_test(tests, a_file_is_found_where_it_was_and_below_a_directory);
    tcase_add_test(tests, a_trimmed_path_is_only_found_below_a_directory);
    tcase_add_test(tests, what_is_no_text_is_not_shown);
    tcase_add_test(tests, lines_are_harmless);
    tcase_add_test(tests, long_lines_are_cut_between_characters);
    suite_add_tcase(suite, tests);
    return suite;
}
