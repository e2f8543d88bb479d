// SPDX-License-Identifier: MIT
// The table of writers, the text writer, and what all writers do when the stream fails.
#include "output/writer.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture_profile.h"

#define MANY 1000000

START_TEST(names_and_endings_find_their_writer)
{
    static const struct {
        const char *path, *name;
    } cases[] = {
        {"a.pb.gz", "pprof"},        {"/x/a.pprof", "pprof"}, {"a.prof", "pprof"},
        {"a.pb", "pprof"},           {"a.folded", "collapsed"}, {"a.collapsed", "collapsed"},
        {"out.d/a.b.json", "json"},  {"a.txt", "text"},       {"a.gz", NULL},
        {"a.json/profile", NULL},    {"pb", NULL},            {"", NULL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        const struct writer *writer = writer_by_path(cases[i].path);
        ck_assert_pstr_eq(writer ? writer->name : NULL, cases[i].name);
        if (writer)
            ck_assert_ptr_eq(writer_by_name(cases[i].name), writer);
    }
    ck_assert_ptr_null(writer_by_name("perf"));
    for (size_t i = 0; i < writer_count; i++) {
        ck_assert_str_eq(writers[i].extension, writers[i].endings[0]);
        ck_assert_int_eq(writers[i].binary, strcmp(writers[i].name, "pprof") == 0);
    }
}
END_TEST

START_TEST(text_is_the_table_that_was_agreed)
{
    struct fixture fixture;
    fixture_init(&fixture, MANY);
    fixture_fill(&fixture);
    AUTO_FREE char *text = fixture_write(&fixture, "text", NULL);
    fixture_golden("profile.txt", text);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(text_of_wall_time_shows_states)
{
    struct fixture fixture;
    fixture_init(&fixture, MANY);
    fixture_fill_wall(&fixture);
    AUTO_FREE char *text = fixture_write(&fixture, "text", NULL);
    fixture_golden("profile-wall.txt", text);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(text_of_an_idle_target_says_so)
{
    struct fixture fixture;
    fixture_init(&fixture, MANY);
    AUTO_FREE char *text = fixture_write(&fixture, "text", NULL);
    fixture_golden("profile-empty.txt", text);
    fixture_fini(&fixture);
}
END_TEST

START_TEST(text_says_how_many_functions_it_left_out)
{
    struct fixture fixture;
    fixture_init(&fixture, MANY);
    uint32_t thread = profile_thread_add(fixture.profile, 1, 1, "t", "p");
    for (unsigned i = 0; i < 100; i++) {
        AUTO_FREE char *name = xasprintf("function_%02u", i);
        fixture_add(&fixture, thread, name, 1, 1000 - i);
    }
    AUTO_FREE char *text = fixture_write(&fixture, "text", NULL);
    ck_assert_ptr_nonnull(strstr(text, "function_39"));
    ck_assert_ptr_null(strstr(text, "function_40"));
    ck_assert_ptr_nonnull(strstr(text, "\n60 more functions\n"));
    fixture_fini(&fixture);
}
END_TEST

// A profile that no buffer between the writer and the file holds whole.
static void fill_large(struct fixture *fixture)
{
    uint32_t thread = profile_thread_add(fixture->profile, 1, 1, "t", "p");
    for (unsigned i = 0; i < 3000; i++) {
        AUTO_FREE char *stack = xasprintf("main|%u|%llx", i, i * 0x9e3779b97f4a7c15ull);
        fixture_add(fixture, thread, stack, 1, i);
    }
}

START_TEST(a_full_disk_is_an_error)
{
    struct fixture fixture;
    fixture_init(&fixture, MANY);
    if (_i)
        fill_large(&fixture);
    for (size_t i = 0; i < writer_count; i++) {
        struct err err = {0};
        FILE *full = fopen("/dev/full", "w");
        ck_assert_ptr_nonnull(full);
        enum rc rc = report_write(&fixture.report, &writers[i], full, &err);
        fclose(full);
        if (!_i && strcmp(writers[i].name, "collapsed") == 0) {
            ck_assert_int_eq(rc, RC_OK); // nothing to write, nothing to fail
            continue;
        }
        ck_assert_msg(rc == RC_IO, "%s gives %d", writers[i].name, rc);
        ck_assert_ptr_nonnull(strstr(err.text, strerror(ENOSPC)));
    }
    fixture_fini(&fixture);
}
END_TEST

START_TEST(a_closed_pipe_is_an_error)
{
    struct fixture fixture;
    fixture_init(&fixture, MANY);
    fixture_fill(&fixture);
    signal(SIGPIPE, SIG_IGN);
    for (size_t i = 0; i < writer_count; i++) {
        struct err err = {0};
        int ends[2];
        ck_assert_int_eq(pipe(ends), 0);
        close(ends[0]);
        FILE *out = fdopen(ends[1], "w");
        ck_assert_int_eq(report_write(&fixture.report, &writers[i], out, &err), RC_IO);
        ck_assert_ptr_nonnull(strstr(err.text, strerror(EPIPE)));
        fclose(out);
    }
    fixture_fini(&fixture);
}
END_TEST

Suite *suite_writer(void);

Suite *suite_writer(void)
{
    TCase *tests = tcase_create("writer");
    tcase_add_test(tests, names_and_endings_find_their_writer);
    tcase_add_test(tests, text_is_the_table_that_was_agreed);
    tcase_add_test(tests, text_of_wall_time_shows_states);
    tcase_add_test(tests, text_of_an_idle_target_says_so);
    tcase_add_test(tests, text_says_how_many_functions_it_left_out);
    tcase_add_loop_test(tests, a_full_disk_is_an_error, 0, 2);
    tcase_add_test(tests, a_closed_pipe_is_an_error);
    Suite *suite = suite_create("writer");
    suite_add_tcase(suite, tests);
    return suite;
}
