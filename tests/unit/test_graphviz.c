// SPDX-License-Identifier: MIT
// How graphviz's dot is run: here by programs of that name that do what it might.
#include "commands/graphviz.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

static char directory[32];
static struct buf graph;
static struct err err;
static int out;

static void set_up(void)
{
    strcpy(directory, "/tmp/ptprof-unit-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    out = memfd_create("out", MFD_CLOEXEC);
    graph = (struct buf){0};
    err = (struct err){0};
    buf_puts(&graph, "digraph { a -> b }");
}

static void tear_down(void)
{
    AUTO_FREE char *command = xasprintf("rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
    buf_fini(&graph);
    close(out);
}

// Lets the path have one program only, or none.
static void install(const char *script)
{
    AUTO_FREE char *path = xasprintf("%s/dot", directory);
    FILE *file = script ? fopen(path, "w") : NULL;
    if (script) {
        fprintf(file, "#!/bin/sh\n%s\n", script);
        fclose(file);
        ck_assert_int_eq(chmod(path, 0700), 0);
    }
    setenv("PATH", directory, true);
}

static enum rc render(const char *script, int patience_ms)
{
    AUTO_FREE char *before = xstrdup(getenv("PATH"));
    install(script);
    enum rc rc = graphviz_render(&graph, "svg", out, patience_ms, &err);
    setenv("PATH", before, true);
    return rc;
}

START_TEST(it_is_given_the_graph_and_the_format)
{
    struct buf got = {0};
    ck_assert_int_eq(render("echo \"$1:$#\"; exec /bin/cat", 60000), RC_OK);
    lseek(out, 0, SEEK_SET);
    ck_assert_int_eq(buf_read_fd(&got, out, 4096), RC_OK);
    ck_assert_str_eq(got.data, "-Tsvg:1\ndigraph { a -> b }");
    buf_fini(&got);
}
END_TEST

START_TEST(what_it_says_when_it_fails_is_told)
{
    ck_assert_int_eq(render("printf 'no \\033[1m good\\nmore' >&2; exit 1", 60000), RC_FAIL);
    ck_assert_str_eq(err.text, "graphviz's dot failed: no \\x1b[1m good");
    ck_assert_int_eq(render("kill -9 $$", 60000), RC_FAIL);
    ck_assert_str_eq(err.text, "graphviz's dot failed and did not say why");
    ck_assert_int_eq(render("/usr/bin/head -c 100000 /dev/zero >&2; exit 1", 60000), RC_FAIL);
}
END_TEST

START_TEST(one_that_hangs_is_ended)
{
    ck_assert_int_eq(render("exec /bin/sleep 100", 200), RC_TIMEOUT);
    ck_assert_str_eq(err.text, "graphviz's dot did not finish within 0.2 s");
}
END_TEST

START_TEST(where_there_is_none_the_caller_is_told)
{
    ck_assert_int_eq(render(NULL, 60000), RC_GONE);
}
END_TEST

Suite *suite_graphviz(void);
Suite *suite_graphviz(void)
{
    Suite *suite = suite_create("graphviz");
    TCase *tests = tcase_create("graphviz");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, it_is_given_the_graph_and_the_format);
    tcase_add_test(tests, what_it_says_when_it_fails_is_told);
    tcase_add_test(tests, one_that_hangs_is_ended);
    tcase_add_test(tests, where_there_is_none_the_caller_is_told);
    suite_add_tcase(suite, tests);
    return suite;
}
