// SPDX-License-Identifier: MIT
// Blocks of `ptprof top` and the text that snapshots are read from.
#include "commands/top_block.h"
#include "monitor/snapshot_json.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "fixture_profile.h"
#include "monitor/feed.h"
#include "monitor/snapshot_text.h"

static struct err err;

START_TEST(blocks_are_as_saved)
{
    AUTO_BUF struct buf text = {0}, json = {0};
    struct feed *feed;
    struct rows_query query = {.window = WINDOW_5S};
    ck_assert_int_eq(feed_replay("tests/golden/top.snapshots", &feed, &err), RC_OK);
    ck_assert(feed_is_replay(feed));
    for (int i = 0; i < 3; i++) { // the third time, the last one again
        struct snapshot *snapshot = feed_take(feed);
        ck_assert_int_eq(top_block_text(&text, snapshot, &query, 100, &err), RC_OK);
        buf_putc(&text, '\n');
        ck_assert_int_eq(snapshot_json(&json, snapshot, &query, SIZE_MAX, &err), RC_OK);
        snapshot_free(snapshot);
    }
    fixture_golden("top.txt", text.data);
    fixture_golden("top.json", json.data);
    feed_free(feed);
}
END_TEST

static void check_saved(const char *name, const char *saved)
{
    AUTO_BUF struct buf text = {0}, json = {0};
    AUTO_FREE char *from = xasprintf("tests/golden/%s.snapshots", name);
    AUTO_FREE char *as_text = xasprintf("%s.txt", saved);
    AUTO_FREE char *as_json = xasprintf("%s.json", saved);
    struct feed *feed;
    struct rows_query query = {.window = WINDOW_5S, .filter = {.type = strchr(saved, '-') + 1}};
    ck_assert_int_eq(feed_replay(from, &feed, &err), RC_OK);
    struct snapshot *snapshot = feed_take(feed);
    ck_assert_int_eq(top_block_text(&text, snapshot, &query, 100, &err), RC_OK);
    ck_assert_int_eq(snapshot_json(&json, snapshot, &query, SIZE_MAX, &err), RC_OK);
    snapshot_free(snapshot);
    fixture_golden(as_text, text.data);
    fixture_golden(as_json, json.data);
    feed_free(feed);
}

START_TEST(wall_time_is_as_saved)
{
    check_saved("top-wall", "top-wall");
}
END_TEST

START_TEST(delays_are_as_saved)
{
    check_saved("top-waits", "top-block");
    check_saved("top-waits", "top-mutex");
}
END_TEST

START_TEST(hostile_names_are_inert)
{
    AUTO_BUF struct buf text = {0};
    struct feed *feed;
    struct rows_query query = {0};
    ck_assert_int_eq(feed_replay("tests/golden/top.snapshots", &feed, &err), RC_OK);
    struct snapshot *snapshot = feed_take(feed);
    ck_assert_ptr_nonnull(strchr(snapshot->command_line, '\x1b'));
    ck_assert_int_eq(top_block_text(&text, snapshot, &query, 0, &err), RC_OK);
    ck_assert_int_eq(snapshot_json(&text, snapshot, &query, SIZE_MAX, &err), RC_OK);
    ck_assert_ptr_null(strchr(text.data, '\x1b'));
    snapshot_free(snapshot);
    feed_free(feed);
}
END_TEST

static enum rc replay_of(const char *text)
{
    char path[] = "/tmp/ptprof-replay-XXXXXX";
    struct replay *replay = NULL;
    AUTO_FD int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    enum rc rc = replay_open(path, &replay, &err);
    unlink(path);
    replay_free(replay);
    return rc;
}

START_TEST(wrong_lines_are_told_by_number)
{
    ck_assert_int_eq(replay_of(""), RC_OK);
    ck_assert_int_eq(replay_of("# nothing\n\nsnapshot\n"), RC_OK);
    ck_assert_int_eq(replay_of("snapshot\nnonsense\n"), RC_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.text, ":2: not understood"));
    ck_assert_int_eq(replay_of("set\tnothing\t1\n"), RC_FORMAT);
    ck_assert_int_eq(replay_of("sample\t1\t2\t3\n"), RC_FORMAT);
    ck_assert_int_eq(replay_of("gone\t1\n"), RC_FORMAT);
    struct replay *replay;
    ck_assert_int_eq(replay_open("/nowhere", &replay, &err), RC_IO);
}
END_TEST

Suite *suite_top_block(void);

Suite *suite_top_block(void)
{
    TCase *tests = tcase_create("top_block");
    tcase_add_test(tests, blocks_are_as_saved);
    tcase_add_test(tests, wall_time_is_as_saved);
    tcase_add_test(tests, delays_are_as_saved);
    tcase_add_test(tests, hostile_names_are_inert);
    tcase_add_test(tests, wrong_lines_are_told_by_number);
    Suite *suite = suite_create("top_block");
    suite_add_tcase(suite, tests);
    return suite;
}
