// SPDX-License-Identifier: MIT
// What a runner tells of the snapshot in tests/golden/top-waits.snapshots.
#include "serve/runner_report.h"

#include <check.h>
#include <string.h>

#include "base/mem.h"
#include "monitor/snapshot_text.h"

static struct replay *replay;
static struct snapshot *snapshot;
static struct reporter *reporter;

static void set_up(void)
{
    struct err err;
    ck_assert_msg(replay_open("tests/golden/top-waits.snapshots", &replay, &err) == RC_OK, "%s",
                  err.text);
    snapshot = replay_next(replay);
    reporter = reporter_new();
}

static void tear_down(void)
{
    reporter_free(reporter);
    snapshot_free(snapshot);
    replay_free(replay);
}

static const struct report_thread *thread_of(const struct runner_report *report, pid_t tid)
{
    for (size_t i = 0; i < REPORT_THREADS && report->threads[i].tid; i++)
        if (report->threads[i].tid == tid)
            return &report->threads[i];
    ck_abort_msg("no thread %d", (int)tid);
    return NULL;
}

START_TEST(threads_are_where_they_were_most_often)
{
    const struct runner_report *report = reporter_make(reporter, snapshot);
    const struct report_thread *holder = thread_of(report, 11), *writer = thread_of(report, 12);
    ck_assert_int_eq(report->threads[0].tid, 11); // 120 samples and 4 waits
    ck_assert_str_eq(holder->ran, "hash");        // of 60 samples each second
    ck_assert_str_eq(holder->waited, "handle");   // and not pthread_mutex_lock, which it calls
    ck_assert_str_eq(writer->ran, "");
    ck_assert_str_eq(writer->waited, "write_log");
    ck_assert_str_eq(thread_of(report, 13)->waited, "poll_events"); // work is waited for, too
    ck_assert_int_eq(report->threads[3].tid, 0);
}
END_TEST

START_TEST(where_they_were_before_does_not_count)
{
    const struct runner_report *report = reporter_make(reporter, snapshot);
    uint64_t waits = report->delays[0].latency.count;
    ck_assert_uint_gt(waits, 0);
    report = reporter_make(reporter, snapshot);
    ck_assert_uint_eq(report->delays[0].latency.count, waits);
    ck_assert_int_eq(report->threads[0].tid, 0);
}
END_TEST

Suite *suite_runner_report(void);
Suite *suite_runner_report(void)
{
    Suite *suite = suite_create("runner_report");
    TCase *one = tcase_create("runner_report");
    tcase_add_checked_fixture(one, set_up, tear_down);
    tcase_add_test(one, threads_are_where_they_were_most_often);
    tcase_add_test(one, where_they_were_before_does_not_count);
    suite_add_tcase(suite, one);
    return suite;
}
