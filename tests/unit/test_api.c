// SPDX-License-Identifier: MIT
// libptprof as its users see it: nothing but the installed header.
#include <ptprof/ptprof.h>

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/skip.h"

static pid_t child;
static char error[1024];

static volatile unsigned long turns;

__attribute__((noipa)) static void api_test_spin(void)
{
    for (;;)
        turns++;
}

static void set_up(void)
{
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        api_test_spin();
    }
}

static void tear_down(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static struct ptprof_session *open_child(const struct ptprof_options *options)
{
    struct ptprof_session *session = NULL;
    enum ptprof_result result = ptprof_open(&child, 1, options, &session, error, sizeof error);
    if (result == PTPROF_DENIED)
        return NULL;
    ck_assert_msg(result == PTPROF_OK, "%s", error);
    ck_assert_str_eq(error, "");
    ck_assert_ptr_nonnull(session);
    return session;
}

// Writes the profile; returns the bytes, at most size - 1, and a NUL behind them.
static size_t written(struct ptprof_session *session, const char *format, char *text, size_t size)
{
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    enum ptprof_result result = ptprof_write(session, format, file);
    ck_assert_msg(result == PTPROF_OK, "%s", ptprof_error(session));
    rewind(file);
    size_t length = fread(text, 1, size - 1, file);
    text[length] = '\0';
    fclose(file);
    return length;
}

START_TEST(open_run_write)
{
    struct ptprof_session *session = open_child(NULL);
    static char text[1 << 20], again[1 << 20];
    SKIP_IF(!session, error);
    enum ptprof_result result = ptprof_run(session, 1.0);
    ck_assert_msg(result == PTPROF_OK, "%s", ptprof_error(session));

    ck_assert_uint_gt(written(session, "pprof", text, sizeof text), 100);
    ck_assert_mem_eq(text, "\x1f\x8b", 2); // gzip
    ck_assert_uint_gt(written(session, "json", text, sizeof text), 100);
    ck_assert_int_eq(text[0], '{');
    ck_assert_ptr_nonnull(strstr(text, "api_test_spin"));
    ck_assert_uint_gt(written(session, "text", text, sizeof text), 100);
    ck_assert_ptr_nonnull(strstr(text, "api_test_spin"));
    size_t length = written(session, "collapsed", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, ";api_test_spin "));
    ck_assert_int_eq(text[length - 1], '\n');

    ck_assert_uint_eq(written(session, "collapsed", again, sizeof again), length);
    ck_assert_str_eq(text, again); // as often as one likes
    ptprof_close(session);
}
END_TEST

START_TEST(unknown_format)
{
    struct ptprof_session *session = open_child(NULL);
    SKIP_IF(!session, error);
    ck_assert_int_eq(ptprof_run(session, 0.05), PTPROF_OK);
    ck_assert_int_eq(ptprof_write(session, "svg", stdout), PTPROF_USAGE);
    ck_assert_str_eq(ptprof_error(session), "there is no format 'svg'");
    ck_assert_int_eq(ptprof_write(session, "", stdout), PTPROF_USAGE);
    ptprof_close(session);
}
END_TEST

// Where the child got no CPU there are no collapsed stacks, and nothing to write.
static bool has_output(struct ptprof_session *session, const char *format)
{
    char *bytes = NULL;
    size_t length = 0;
    FILE *memory = open_memstream(&bytes, &length);
    ck_assert_int_eq(ptprof_write(session, format, memory), PTPROF_OK);
    fclose(memory);
    free(bytes);
    return length > 0;
}

START_TEST(stream_that_fails)
{
    struct ptprof_session *session = open_child(NULL);
    static const char *const formats[] = {"pprof", "collapsed", "json", "text"};
    SKIP_IF(!session, error);
    ck_assert_int_eq(ptprof_run(session, 1.0), PTPROF_OK);
    for (int i = 0; i < 4; i++) {
        if (!has_output(session, formats[i]))
            continue;
        FILE *full = fopen("/dev/full", "w");
        ck_assert_int_eq(ptprof_write(session, formats[i], full), PTPROF_FAILED);
        ck_assert_ptr_nonnull(strstr(ptprof_error(session), strerror(ENOSPC)));
        fclose(full);
    }
    ptprof_close(session);
}
END_TEST

// A program that was built against an older header hands over less; what lies behind is not ours.
START_TEST(older_options)
{
    struct ptprof_options options = {.size = sizeof options, .rate = 50, .threads = "("};
    struct ptprof_session *session = NULL;
    ck_assert_int_eq(ptprof_open(&child, 1, &options, &session, error, sizeof error), PTPROF_USAGE);
    ck_assert_ptr_null(session);
    options.size = offsetof(struct ptprof_options, threads);
    ck_assert_int_eq(ptprof_open(&child, 1, &options, &session, error, sizeof error), PTPROF_OK);
    ptprof_close(session);
    options.size = 0;
    ck_assert_int_eq(ptprof_open(&child, 1, &options, &session, error, sizeof error), PTPROF_USAGE);
    ck_assert_ptr_null(session);
}
END_TEST

// And a newer one more than we know of.
START_TEST(newer_options)
{
    struct {
        struct ptprof_options known;
        char more[64];
    } options = {.known = {.size = sizeof options, .rate = 50}};
    struct ptprof_session *session = NULL;
    memset(options.more, 0xff, sizeof options.more);
    ck_assert_int_eq(ptprof_open(&child, 1, &options.known, &session, error, sizeof error),
                     PTPROF_OK);
    ptprof_close(session);
}
END_TEST

START_TEST(stopped_before)
{
    struct ptprof_session *session = open_child(NULL);
    SKIP_IF(!session, error);
    ptprof_stop(session);
    ck_assert_int_eq(ptprof_run(session, 3600), PTPROF_OK);
    ptprof_close(session);
}
END_TEST

static void *stop_soon(void *session)
{
    usleep(100000);
    ptprof_stop(session);
    return NULL;
}

START_TEST(stopped_by_another_thread)
{
    struct ptprof_session *session = open_child(NULL);
    pthread_t thread;
    SKIP_IF(!session, error);
    ck_assert_int_eq(pthread_create(&thread, NULL, stop_soon, session), 0);
    ck_assert_int_eq(ptprof_run(session, 3600), PTPROF_OK);
    pthread_join(thread, NULL);
    ptprof_close(session);
}
END_TEST

START_TEST(no_such_process)
{
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    waitpid(gone, NULL, 0);
    struct ptprof_session *session = (struct ptprof_session *)&gone;
    ck_assert_int_eq(ptprof_open(&gone, 1, NULL, &session, error, sizeof error), PTPROF_GONE);
    ck_assert_ptr_null(session);
    ck_assert_ptr_nonnull(strstr(error, "there is no such process"));
    char little[8] = "1234567";
    ck_assert_int_eq(ptprof_open(&gone, 1, NULL, &session, little, 4), PTPROF_GONE);
    ck_assert_uint_eq(strlen(little), 3);
    ck_assert_mem_eq(little + 4, "567", 4); // nothing beyond what we may write
    ck_assert_int_eq(ptprof_open(&gone, 1, NULL, &session, NULL, 0), PTPROF_GONE);
}
END_TEST

START_TEST(wrong_arguments)
{
    struct ptprof_session *session = NULL;
    pid_t self = getpid();
    ck_assert_int_eq(ptprof_open(NULL, 0, NULL, &session, error, sizeof error), PTPROF_USAGE);
    ck_assert_str_eq(error, "no process was named");
    ck_assert_int_eq(ptprof_open(&self, 1, NULL, &session, error, sizeof error), PTPROF_USAGE);
    ck_assert_str_ne(error, "");
    ck_assert_ptr_null(session);
    ptprof_close(NULL);
}
END_TEST

START_TEST(a_census_needs_right_arguments)
{
    struct ptprof_census_options options = {0};
    pid_t self = getpid();
    ck_assert_int_eq(ptprof_census(self, &options, "json", stdout, error, sizeof error),
                     PTPROF_USAGE);
    ck_assert_str_eq(error, "the size of the options is not set");
    options.size = sizeof options;
    options.seconds = (double)NAN;
    ck_assert_int_eq(ptprof_census(self, &options, "json", stdout, error, sizeof error),
                     PTPROF_USAGE);
    ck_assert_int_eq(ptprof_census(self, NULL, "xml\033", stdout, error, sizeof error),
                     PTPROF_USAGE);
    ck_assert_str_eq(error, "there is no format 'xml\\x1b'");
    ck_assert_int_eq(ptprof_census(self, NULL, "xml", stdout, NULL, 0), PTPROF_USAGE);
}
END_TEST

START_TEST(a_process_may_count_its_own_blocks)
{
    struct ptprof_census_options options = {.size = sizeof options, .seconds = 60};
    char *text = NULL;
    size_t length;
    FILE *stream = open_memstream(&text, &length);
    enum ptprof_result result =
        ptprof_census(getpid(), &options, "json", stream, error, sizeof error);
    ck_assert_msg(result == PTPROF_OK, "%s", error);
    fclose(stream);
    ck_assert_str_eq(error, "");
    ck_assert_ptr_nonnull(strstr(text, "\"complete\":true"));
    free(text);
}
END_TEST

static const struct ptprof_options wrong[] = {
    {.rate = -1},       {.rate = 1e9},    {.rate = (double)NAN},     {.rate = (double)INFINITY},
    {.max_stop = 1.5},  {.max_stop = -1}, {.max_stop = (double)NAN}, {.max_depth = UINT_MAX},
    {.min_block = -1},  {.min_block = (double)NAN},
};

START_TEST(wrong_options)
{
    struct ptprof_options options = wrong[_i];
    struct ptprof_session *session = NULL;
    options.size = sizeof options;
    ck_assert_int_eq(ptprof_open(&child, 1, &options, &session, error, sizeof error),
                     PTPROF_USAGE);
    ck_assert_str_ne(error, "");
}
END_TEST

START_TEST(runs_once)
{
    struct ptprof_session *session = open_child(NULL);
    SKIP_IF(!session, error);
    ck_assert_int_eq(ptprof_write(session, "text", stdout), PTPROF_USAGE);
    ck_assert_str_eq(ptprof_error(session), "the session has not run yet");
    ck_assert_int_eq(ptprof_run(session, -1), PTPROF_USAGE);
    ck_assert_int_eq(ptprof_run(session, (double)NAN), PTPROF_USAGE);
    ck_assert_int_eq(ptprof_run(session, 0), PTPROF_OK);
    ck_assert_int_eq(ptprof_run(session, 0), PTPROF_USAGE);
    ck_assert_str_eq(ptprof_error(session), "the session has run already");
    ptprof_close(session);
}
END_TEST

START_TEST(ended_before_a_sample)
{
    struct ptprof_session *session = open_child(NULL);
    SKIP_IF(!session, error);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    ck_assert_int_eq(ptprof_run(session, 3600), PTPROF_GONE);
    ck_assert_str_ne(ptprof_error(session), "");
    ptprof_close(session);
}
END_TEST

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += dup2(fd, fd) == fd;
    return count;
}

START_TEST(leaves_nothing_behind)
{
    int before = 0;
    for (int i = 0; i < 4; i++) {
        struct ptprof_session *session = open_child(NULL);
        SKIP_IF(!session, error);
        ck_assert_int_eq(ptprof_run(session, i == 0 ? 1 : 0.1), PTPROF_OK);
        ptprof_close(session);
        if (i == 0) // libunwind keeps a pipe for good
            before = descriptors();
    }
    ck_assert_int_eq(descriptors(), before);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), 0); // of our children only the target is there
    kill(child, SIGKILL);
    ck_assert_int_eq(waitpid(-1, NULL, 0), child);
    ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

// --- types ---

static pthread_mutex_t contended = PTHREAD_MUTEX_INITIALIZER;

__attribute__((noipa)) static void api_test_hold(void)
{
    pthread_mutex_lock(&contended);
    usleep(5000);
    pthread_mutex_unlock(&contended);
    turns++;
}

static void *hold_again_and_again(void *unused)
{
    for (;;)
        api_test_hold();
    return unused;
}

static void begin_contention(void)
{
    pthread_t thread;
    tear_down();
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pthread_create(&thread, NULL, hold_again_and_again, NULL);
    hold_again_and_again(NULL);
}

static void check_type(struct ptprof_session *session, const char *type, const char *part)
{
    static char text[1 << 20];
    FILE *file = tmpfile();
    ck_assert_ptr_nonnull(file);
    ck_assert_msg(ptprof_write_type(session, type, "json", file) == PTPROF_OK, "%s: %s", type,
                  ptprof_error(session));
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    ck_assert_msg(strstr(text, part) != NULL, "%s: no %s in %.400s", type, part, text);
    ck_assert_msg(strstr(text, "api_test_hold") != NULL, "%s: %.400s", type, text);
}

START_TEST(several_types)
{
    begin_contention();
    struct ptprof_session *session =
        open_child(&(struct ptprof_options){.size = sizeof(struct ptprof_options),
                                            .types = "mutex,block,wall"});
    SKIP_IF(!session, error);
    ck_assert_msg(ptprof_run(session, 2.0) == PTPROF_OK, "%s", ptprof_error(session));
    check_type(session, "wall", "\"time\":\"wall\"");
    check_type(session, "block", "\"time\":\"block\"");
    check_type(session, "mutex", "\"time\":\"mutex\"");
    ck_assert_int_eq(ptprof_write_type(session, "cpu", "json", stdout), PTPROF_USAGE);
    ck_assert_str_eq(ptprof_error(session), "cpu was not gathered: it is not among the types");
    ck_assert_int_eq(ptprof_write_type(session, "heap", "json", stdout), PTPROF_USAGE);
    ck_assert_int_eq(ptprof_write_type(session, "wall", "svg", stdout), PTPROF_USAGE);
    static char text[1 << 20]; // of the first one
    written(session, "json", text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "\"time\":\"wall\""));
    ptprof_close(session);
}
END_TEST

static const char *const wrong_types[] = {"", "cpu,", "cpu,blok", "CPU", "threads", ",wall"};

START_TEST(unknown_types)
{
    struct ptprof_options options = {.size = sizeof options, .types = wrong_types[_i]};
    struct ptprof_session *session = NULL;
    ck_assert_int_eq(ptprof_open(&child, 1, &options, &session, error, sizeof error),
                     PTPROF_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "it is cpu, wall, block or mutex"));
}
END_TEST

Suite *suite_api(void);

START_TEST(memory_of_ourselves)
{
    struct ptprof_memory memory = {.size = sizeof memory};
    ck_assert_int_eq(ptprof_memory(getpid(), 0, &memory, error, sizeof error), PTPROF_OK);
    ck_assert_str_eq(error, "");
    ck_assert_uint_ge(memory.threads, 1);
    ck_assert_uint_gt(memory.rss, 1 << 20);
    ck_assert_uint_eq(memory.rss, memory.anonymous + memory.file + memory.shared);
    ck_assert_uint_gt(memory.libraries_resident, 0);
    ck_assert_uint_lt(memory.libraries_resident, memory.rss + (1 << 20)); // it grows meanwhile
    ck_assert_uint_eq(memory.pss, PTPROF_UNKNOWN);
    ck_assert_uint_eq(memory.heap_in_use, PTPROF_UNKNOWN);
    ck_assert_int_eq(ptprof_memory(getpid(), PTPROF_MEMORY_PSS, &memory, NULL, 0), PTPROF_OK);
    ck_assert_uint_gt(memory.pss, 0);
    ck_assert_uint_le(memory.pss, memory.rss + (1 << 20));
}
END_TEST

// A caller built against an older header, of which no more is written than it knows.
START_TEST(memory_of_an_older_caller)
{
    struct ptprof_memory memory = {.size = offsetof(struct ptprof_memory, peak_rss), .peak_rss = 7};
    ck_assert_int_eq(ptprof_memory(getpid(), 0, &memory, NULL, 0), PTPROF_OK);
    ck_assert_uint_eq(memory.size, offsetof(struct ptprof_memory, peak_rss));
    ck_assert_uint_gt(memory.rss, 1 << 20);
    ck_assert_uint_eq(memory.peak_rss, 7);
}
END_TEST

START_TEST(memory_of_nobody)
{
    struct ptprof_memory memory = {0};
    ck_assert_int_eq(ptprof_memory(getpid(), 0, &memory, error, sizeof error), PTPROF_USAGE);
    ck_assert_str_ne(error, "");
    memory.size = sizeof memory;
    ck_assert_int_eq(ptprof_memory(0, 0, &memory, error, 5), PTPROF_USAGE);
    ck_assert_uint_eq(strlen(error), 4);
    ck_assert_uint_eq(memory.rss, PTPROF_UNKNOWN);
    ck_assert_int_eq(ptprof_memory(INT_MAX, 0, &memory, error, sizeof error), PTPROF_GONE);
    ck_assert_uint_eq(memory.rss, PTPROF_UNKNOWN);
}
END_TEST

START_TEST(memory_of_another_process)
{
    struct ptprof_memory memory = {.size = sizeof memory};
    enum ptprof_result result =
        ptprof_memory(child, PTPROF_MEMORY_ALLOCATORS, &memory, error, sizeof error);
    SKIP_IF(result == PTPROF_DENIED, "its mappings may not be read");
    ck_assert_msg(result == PTPROF_OK, "%s", error);
    ck_assert_uint_eq(memory.threads, 1);
    ck_assert_uint_ne(memory.heap_system, 0);
}
END_TEST

Suite *suite_api(void)
{
    TCase *tests = tcase_create("api");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, open_run_write);
    tcase_add_test(tests, unknown_format);
    tcase_add_test(tests, stream_that_fails);
    tcase_add_test(tests, older_options);
    tcase_add_test(tests, newer_options);
    tcase_add_test(tests, stopped_before);
    tcase_add_test(tests, stopped_by_another_thread);
    tcase_add_test(tests, no_such_process);
    tcase_add_test(tests, wrong_arguments);
    tcase_add_test(tests, a_census_needs_right_arguments);
    tcase_add_test(tests, a_process_may_count_its_own_blocks);
    tcase_add_loop_test(tests, wrong_options, 0, (int)(sizeof wrong / sizeof *wrong));
    tcase_add_test(tests, runs_once);
    tcase_add_test(tests, ended_before_a_sample);
    tcase_add_test(tests, several_types);
    tcase_add_loop_test(tests, unknown_types, 0,
                        (int)(sizeof wrong_types / sizeof *wrong_types));
    tcase_add_test(tests, leaves_nothing_behind);
    tcase_add_test(tests, memory_of_ourselves);
    tcase_add_test(tests, memory_of_an_older_caller);
    tcase_add_test(tests, memory_of_nobody);
    tcase_add_test(tests, memory_of_another_process);
    Suite *suite = suite_create("api");
    suite_add_tcase(suite, tests);
    return suite;
}
