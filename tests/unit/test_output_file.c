// SPDX-License-Identifier: MIT
// A file is durable before it takes the place of another one.
#include "commands/output_file.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static char directory[] = "/tmp/ptprof-unit-XXXXXX", path[64];
static const char *told_before; // what the path held when the new file was made durable
static int synced, sync_error;

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
}

static char *read_file(void)
{
    char text[64] = "";
    FILE *file = fopen(path, "r");
    if (!file)
        return NULL;
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return xstrdup(text);
}

// In the place of the C library's.
int fsync(int fd)
{
    struct stat info;
    if (*path && fstat(fd, &info) == 0 && info.st_size == (off_t)strlen("new"))
        synced++;
    told_before = *path ? read_file() : NULL;
    errno = sync_error;
    return sync_error ? -1 : (int)syscall(SYS_fsync, fd);
}

static void set_up(void)
{
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/profile", directory);
    write_file("old");
}

static void tear_down(void)
{
    unlink(path);
    ck_assert_int_eq(rmdir(directory), 0); // nothing else was left in it
}

static enum rc replace(struct err *err)
{
    struct output_file file;
    ck_assert_int_eq(output_file_begin(&file, path, err), RC_OK);
    fputs("new", file.stream);
    enum rc rc = output_file_commit(&file, err);
    output_file_fini(&file);
    return rc;
}

static void assert_holds(const char *expected)
{
    AUTO_FREE char *text = read_file();
    ck_assert_pstr_eq(text, expected);
}

START_TEST(durable_before_it_is_visible)
{
    ck_assert_int_eq(replace(NULL), RC_OK);
    ck_assert_int_eq(synced, 1);
    ck_assert_pstr_eq(told_before, "old");
    assert_holds("new");
}
END_TEST

START_TEST(what_is_not_durable_replaces_nothing)
{
    struct err err = {0};
    sync_error = EIO;
    ck_assert_int_eq(replace(&err), RC_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "cannot write to "));
    assert_holds("old");
}
END_TEST

START_TEST(given_up)
{
    struct output_file file;
    ck_assert_int_eq(output_file_begin(&file, path, NULL), RC_OK);
    fputs("new", file.stream);
    output_file_fini(&file);
    assert_holds("old");
}
END_TEST

START_TEST(the_name_was_taken_meanwhile)
{
    struct output_file file;
    ck_assert_int_eq(output_file_begin(&file, path, NULL), RC_OK);
    fputs("new", file.stream);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_int_eq(output_file_commit(&file, NULL), RC_IO);
    output_file_fini(&file);
    ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

Suite *suite_output_file(void);

Suite *suite_output_file(void)
{
    Suite *suite = suite_create("output_file");
    TCase *tests = tcase_create("output_file");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, durable_before_it_is_visible);
    tcase_add_test(tests, what_is_not_durable_replaces_nothing);
    tcase_add_test(tests, given_up);
    tcase_add_test(tests, the_name_was_taken_meanwhile);
    suite_add_tcase(suite, tests);
    return suite;
}
