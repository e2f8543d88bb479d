// SPDX-License-Identifier: MIT
#include "fixture_profile.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"

#define GOLDEN_LIMIT 1048576 // bytes

static const struct run frozen_run = {
    .start_wall = 1769850843123456789, // 2026-01-31T09:14:03Z
    .duration = 2 * (int64_t)NS_PER_S,
    .end = RUN_DURATION,
    .rate = 99,
    .achieved = 98.5,
    .held_share = 0.0015,
    .counts = {
        [COUNTER_ROUNDS] = 197,
        [COUNTER_LATE] = 2,
        [COUNTER_REALTIME] = true,
        [COUNTER_SAMPLES] = 68,
        [COUNTER_STOPS] = 71,
        [COUNTER_FAILED] = 1,
        [COUNTER_QUEUED] = 2,
        [COUNTER_DROPPED] = 3,
        [COUNTER_CUT] = 4,
        [COUNTER_REPAIRED] = 1,
        [COUNTER_UNRESOLVED] = 5,
        [COUNTER_HELD_P50] = 38000,
        [COUNTER_HELD_P99] = 210000,
        [COUNTER_HELD_MAX] = 1900000,
        [COUNTER_HELD_TOTAL] = 3100000,
        [COUNTER_THREADS_SEEN] = 9,
        [COUNTER_THREADS_SAMPLED] = 4,
        [COUNTER_CPU_NS] = 712000000,
        [COUNTER_UNATTRIBUTED_NS] = 12000000,
    },
};

void fixture_init(struct fixture *fixture, size_t max_nodes)
{
    *fixture = (struct fixture){
        .modules = modules_new(),
        .profile = profile_new(max_nodes),
        .processes = {{.pid = 4242, .comm = "split"},
                      {.pid = 4250, .comm = "evil;\x1b[31m 9", .ended = true, .execs = 1}},
        .run = frozen_run,
    };
    fixture->symbolizer = symbolizer_new(fixture->modules);
    fixture->run.processes = fixture->processes;
    fixture->run.process_count = ARRAY_LENGTH(fixture->processes);
    fixture->report = (struct report){
        .profile = fixture->profile,
        .modules = fixture->modules,
        .symbolizer = fixture->symbolizer,
        .run = &fixture->run,
    };
}

void fixture_fini(struct fixture *fixture)
{
    symbolizer_free(fixture->symbolizer);
    modules_free(fixture->modules);
    profile_free(fixture->profile);
}

static uint32_t location_of(struct fixture *fixture, const char *function)
{
    const struct mapping *mapping = modules_special(fixture->modules, MODULE_SPECIAL, function);
    return profile_location(fixture->profile, mapping->id, 0);
}

static void add_state(struct fixture *fixture, uint32_t thread, const char *stack,
                      enum profile_state state, uint64_t samples, uint64_t ns)
{
    AUTO_FREE char *names = xstrdup(stack);
    uint32_t locations[64];
    size_t count = 0;
    char *rest = names;
    for (char *name; (name = strsep(&rest, "|"));) {
        ck_assert_uint_lt(count, ARRAY_LENGTH(locations));
        memmove(locations + 1, locations, count++ * sizeof *locations);
        locations[0] = location_of(fixture, name);
    }
    uint32_t node = profile_stack(fixture->profile, locations, count);
    uint32_t value = profile_value_at(fixture->profile, node, thread, state);
    profile_add(fixture->profile, value, samples, ns);
}

void fixture_add(struct fixture *fixture, uint32_t thread, const char *stack, uint64_t samples,
                 uint64_t cpu_ns)
{
    add_state(fixture, thread, stack, STATE_CPU, samples, cpu_ns);
}

void fixture_fill(struct fixture *fixture)
{
    struct profile *profile = fixture->profile;
    uint32_t leader = profile_thread_add(profile, 4242, 4242, "split", "split");
    uint32_t worker = profile_thread_add(profile, 4242, 4243, "worker 7", "split");
    uint32_t other = profile_thread_add(profile, 4242, 4244, "worker 8", "split");
    uint32_t evil = profile_thread_add(profile, 4250, 4250, "\x1b]0;x\a<script>",
                                       fixture->processes[1].comm);
    uint32_t none = profile_thread_add(profile, 4242, 0, "", "split");

    fixture_add(fixture, leader, "main|work_hot", 28, 280000000);
    fixture_add(fixture, leader, "main|work_cold", 12, 120000000);
    fixture_add(fixture, leader, "main|recurse|recurse|recurse|work_hot", 5, 50000000);
    fixture_add(fixture, leader, "main", 0, 0);
    fixture_add(fixture, worker, "start|take<int>(Pool&)", 10, 100000000);
    fixture_add(fixture, other, "start|take<int>(Pool&)", 6, 60000000);
    fixture_add(fixture, worker, "start|idle 7", 2, 20000000);
    fixture_add(fixture, other, "start|idle  7.5", 1, 10000000);
    fixture_add(fixture, evil, "main|a;b|quo\"te\\\xff|\x1b[2J<b>\tx", 3, 40000000);
    fixture_add(fixture, evil, "main|\xe2\x80\xae" "rtl|caf\xc3\xa9", 1, 20000000);
    fixture_add(fixture, none, "[unattributed]", 0, 12000000);
}

void fixture_fill_wall(struct fixture *fixture)
{
    fixture_fill(fixture);
    uint32_t leader = 0;
    uint32_t sleeper = profile_thread_add(fixture->profile, 4242, 4245, "sleeper", "split");
    add_state(fixture, leader, "main|work_hot", STATE_RUNNING, 33, 330000000);
    add_state(fixture, leader, "main|work_cold", STATE_RUNNING, 12, 120000000);
    add_state(fixture, leader, "main|work_hot", STATE_QUEUED, 0, 75000000);
    add_state(fixture, leader, "main|wait|sys_futex", STATE_BLOCKED, 147, 1475000000);
    add_state(fixture, sleeper, "start|nap|sys_clock_nanosleep", STATE_BLOCKED, 197, 2000000000);
    fixture->run.type = PROFILE_WALL;
    fixture->run.counts[COUNTER_ASLEEP] = 344;
    fixture->run.counts[COUNTER_SAMPLES] += 344;
}

char *fixture_write(const struct fixture *fixture, const char *format, size_t *length)
{
    char *bytes = NULL;
    size_t size = 0;
    struct err err = {0};
    const struct writer *writer = writer_by_name(format);
    ck_assert_ptr_nonnull(writer);
    FILE *out = open_memstream(&bytes, &size);
    ck_assert_ptr_nonnull(out);
    ck_assert_msg(report_write(&fixture->report, writer, out, &err) == RC_OK, "%s", err.text);
    ck_assert_int_eq(fclose(out), 0);
    if (length)
        *length = size;
    return bytes;
}

static char *read_file(const char *path)
{
    AUTO_FILE FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "cannot open %s (run from the top of the repository)", path);
    char *text = xcalloc(GOLDEN_LIMIT, 1);
    size_t length = fread(text, 1, GOLDEN_LIMIT - 1, file);
    ck_assert_uint_lt(length, GOLDEN_LIMIT - 1);
    return text;
}

static void write_file(const char *path, const char *text)
{
    AUTO_FILE FILE *file = fopen(path, "w");
    ck_assert_msg(file != NULL, "cannot write %s", path);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fflush(file), 0);
}

void fixture_golden(const char *name, const char *text)
{
    AUTO_FREE char *path = xasprintf("tests/golden/%s", name);
    const char *update = getenv("UPDATE");
    if (update && strcmp(update, "1") == 0)
        write_file(path, text);
    AUTO_FREE char *expected = read_file(path);
    ck_assert_msg(strcmp(expected, text) == 0, "%s differs; got:\n%s", path, text);
}
