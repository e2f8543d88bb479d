// SPDX-License-Identifier: MIT
// Timelines as perf script text, Chrome's trace events and Firefox Profiler's profiles.
#include <check.h>
#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture_odd_timeline.h"
#include "fixture_profile.h"
#include "fixture_timeline.h"
#include "output/trace.h"

static const char *const formats[] = {"perf", "chrome", "firefox"};

static const struct writer *writer_named(const char *name)
{
    for (size_t i = 0; i < trace_writer_count; i++)
        if (strcmp(trace_writers[i].name, name) == 0)
            return &trace_writers[i];
    ck_abort_msg("there is no format %s", name);
}

static char *written(const struct timeline *timeline, const char *format)
{
    char *bytes = NULL;
    size_t size = 0;
    struct err err = {0};
    FILE *out = open_memstream(&bytes, &size);
    ck_assert_ptr_nonnull(out);
    enum rc rc = writer_named(format)->write_timeline(timeline, out, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    ck_assert_int_eq(fclose(out), 0);
    return bytes;
}

static bool has(const char *text, const char *part)
{
    return strstr(text, part) != NULL;
}

START_TEST(files_are_what_was_agreed)
{
    static const char *const names[] = {"timeline.perf.txt", "timeline.trace.json",
                                        "timeline.firefox.json"};
    struct timeline *timeline = fixture_odd_timeline();
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
        AUTO_FREE char *text = written(timeline, formats[i]);
        ck_assert_str_eq(strchr(names[i], '.'), writer_named(formats[i])->extension);
        fixture_golden(names[i], text);
    }
    timeline_free(timeline);
}
END_TEST

START_TEST(the_file_says_what_the_states_are)
{
    struct timeline *timeline = fixture_odd_timeline();
    for (int exact = 0; exact < 2; exact++)
        for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
            timeline->exact = exact;
            AUTO_FREE char *text = written(timeline, formats[i]);
            ck_assert_int_eq(has(text, "states change when the kernel switched threads"), exact);
            ck_assert_int_eq(has(text, "states are what was seen at each look"), !exact);
        }
    timeline_free(timeline);
}
END_TEST

START_TEST(no_events_are_a_whole_file)
{
    struct timeline *timeline = timeline_new();
    AUTO_FREE char *perf = written(timeline, "perf");
    AUTO_FREE char *chrome = written(timeline, "chrome");
    AUTO_FREE char *firefox = written(timeline, "firefox");
    ck_assert(perf[0] == '#' && !has(perf, "\n"));
    ck_assert(has(chrome, "{\"traceEvents\":[],\n"));
    ck_assert(has(firefox, "\"threads\":[]}\n"));
    timeline_free(timeline);
}
END_TEST

// What began before the profile's time has its beginning at 0.
START_TEST(times_are_not_negative)
{
    struct timeline *timeline = fixture_odd_timeline();
    for (size_t i = 0; i < timeline->event_count; i++)
        timeline->events[i].time -= 30 * NS_PER_MS;
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
        struct timeline *as_it_was = fixture_odd_timeline();
        as_it_was->profile->time -= 30 * NS_PER_MS;
        AUTO_FREE char *text = written(timeline, formats[i]);
        AUTO_FREE char *expected = written(as_it_was, formats[i]);
        ck_assert_str_eq(text, expected);
        timeline_free(as_it_was);
    }
    timeline_free(timeline);
}
END_TEST

START_TEST(a_full_disk_is_said)
{
    struct timeline *timeline = fixture_odd_timeline();
    for (size_t i = 0; i < ARRAY_LENGTH(formats); i++) {
        struct err err = {0};
        AUTO_FILE FILE *full = fopen("/dev/full", "w");
        ck_assert_ptr_nonnull(full);
        ck_assert_int_eq(writer_named(formats[i])->write_timeline(timeline, full, &err), RC_IO);
        ck_assert_msg(has(err.text, "No space left"), "%s", err.text);
    }
    timeline_free(timeline);
}
END_TEST

// --- perf ---

static size_t records_of(const char *text, const char *name)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, name)); at++)
        count++;
    return count;
}

START_TEST(a_period_is_that_of_the_profile_if_it_is_a_time)
{
    struct timeline *timeline = fixture_odd_timeline();
    struct plain_profile *profile = timeline->profile;
    profile->period = NS_PER_MS;
    profile->period_type.unit = plain_text(profile, "nanoseconds");
    AUTO_FREE char *fine = written(timeline, "perf");
    ck_assert_uint_eq(records_of(fine, "    1000000 cpu-clock: \n"), 80 + 30 + 15);
    profile->period_type.unit = plain_text(profile, "count");
    AUTO_FREE char *coarse = written(timeline, "perf");
    ck_assert_uint_eq(records_of(coarse, "   10000000 cpu-clock: \n"), 12);
    timeline_free(timeline);
}
END_TEST

// 1 ms of `often` and 9 of `seldom`, in step with the period: a record for each interval would
// make them equal, and one at each full period would never meet one of them.
START_TEST(records_are_shares_of_cpu_time)
{
    struct timeline *timeline = fixture_odd_timeline();
    uint32_t often = timeline->events[0].stack, seldom = timeline->events[7].stack;
    timeline->event_count = 0;
    for (int64_t i = 0; i < 10000; i++) {
        struct timeline_event event = {i * 10 * NS_PER_MS, NS_PER_MS, 0, STATE_RUNNING,
                                       often, 0, TIMELINE_NONE, 0};
        timeline_append(timeline, event);
        event.time += event.duration;
        event.duration *= 9;
        event.stack = seldom;
        timeline_append(timeline, event);
    }
    AUTO_FREE char *text = written(timeline, "perf");
    size_t first = records_of(text, "sum ("), second = records_of(text, "[libc.so.6] (");
    ck_assert_uint_eq(first + second, 10000);
    ck_assert_uint_ge(first, 880); // 1000, four standard errors (30) less and more
    ck_assert_uint_le(first, 1120);
    timeline_free(timeline);
}
END_TEST

// Of 100 runs of 1 ms one is looked at in either function, but of one function runs are ten times
// as many: as many more have been looked at.
START_TEST(runs_without_a_stack_are_shared_by_those_that_have_one)
{
    struct timeline *timeline = fixture_odd_timeline();
    uint32_t stacks[] = {timeline->events[0].stack, timeline->events[7].stack};
    timeline->event_count = 0;
    for (int64_t i = 0; i < 110000; i++)
        timeline_append(timeline, (struct timeline_event){
            .time = i * 2 * NS_PER_MS,
            .duration = NS_PER_MS,
            .state = STATE_RUNNING,
            .stack = i % 100 ? 0 : stacks[i / 100 % 11 == 0],
            .cpu = TIMELINE_NONE,
            .woken_by = TIMELINE_NONE,
        });
    AUTO_FREE char *text = written(timeline, "perf");
    size_t first = records_of(text, "sum ("), second = records_of(text, "[libc.so.6] (");
    ck_assert_uint_eq(first + second, 11000);
    ck_assert_uint_ge(second, 990);
    ck_assert_uint_le(second, 1010);
    AUTO_FREE char *firefox = written(timeline, "firefox");
    ck_assert_uint_eq(records_of(firefox, "100.000000,0.000000,0.000000"), 1100);
    timeline_free(timeline);
}
END_TEST

// Whatever the events are, a thread is in one state at a time.
START_TEST(records_stand_in_the_order_of_time)
{
    for (enum fixture_timeline kind = TIMELINE_SWITCHES; kind <= TIMELINE_TICKS; kind++) {
        struct timeline *timeline = fixture_timeline_random(kind, 50000, 40, 3, 7);
        AUTO_FREE char *text = written(timeline, "perf");
        int64_t before = -1, records = 0, cpu = 0;
        // By lines, because a memory checker reads all of what strstr is given.
        for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) {
            const char *time = end - strlen(" cpu-clock: ");
            if (time < line || strncmp(time, " cpu-clock: ", strlen(" cpu-clock: ")) != 0)
                continue;
            while (*time != ':')
                time--;
            while (time[-1] != ' ')
                time--;
            double seconds = strtod(time, NULL);
            ck_assert_int_ge((int64_t)(seconds * 1e6), before);
            before = (int64_t)(seconds * 1e6);
            records++;
        }
        for (size_t i = 0; i < timeline->event_count; i++)
            cpu += timeline->events[i].state == STATE_RUNNING ? timeline->events[i].duration : 0;
        ck_assert_int_le(records, cpu / (10 * NS_PER_MS) + 40);
        if (kind != TIMELINE_DAMAGED)
            ck_assert_int_ge(records, cpu / (10 * NS_PER_MS) - 40);
        timeline_free(timeline);
    }
}
END_TEST

// --- Chrome ---

struct slice {
    int64_t begin, end;
    char state[16];
};

static bool parse_slice(const char *line, struct slice *slice)
{
    int64_t us, ns, long_us = 0, long_ns = 0;
    if (sscanf(line, "{\"ph\":\"X\",\"pid\":%*d,\"tid\":%*d,\"ts\":%" SCNd64 ".%3" SCNd64
                     ",\"dur\":%" SCNd64 ".%3" SCNd64 ",\"cat\":\"%15[A-Za-z]\"",
               &us, &ns, &long_us, &long_ns, slice->state) != 5 &&
        sscanf(line, "{\"ph\":\"i\",\"pid\":%*d,\"tid\":%*d,\"ts\":%" SCNd64 ".%3" SCNd64
                     ",\"cat\":\"%15[A-Za-z]\"",
               &us, &ns, slice->state) != 3)
        return false;
    slice->begin = us * 1000 + ns;
    slice->end = line[7] == 'i' ? slice->begin
                                : slice->begin + long_us * 1000 + long_ns + 1;
    return true;
}

// Lines of slices and instants are those of the events, in their order.
static size_t check_slices(const struct timeline *timeline, char *text, bool damaged)
{
    AUTO_FREE int64_t *ends = xcalloc(timeline->thread_count, sizeof *ends);
    const struct timeline_event *event = timeline->events;
    struct slice slice;
    size_t instants = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        if (!parse_slice(line, &slice))
            continue;
        ck_assert_int_ge(slice.begin, ends[event->thread]);
        ck_assert_int_ge(slice.end, slice.begin);
        ck_assert_int_eq(tolower(slice.state[0]) == 'b', event->state == STATE_BLOCKED);
        if (!damaged) {
            ck_assert_int_eq(slice.begin, event->time);
            ck_assert_int_eq(slice.end, event->time + event->duration);
        }
        instants += slice.begin == slice.end;
        ends[event++->thread] = slice.end;
    }
    ck_assert_uint_eq((size_t)(event - timeline->events), timeline->event_count);
    return instants;
}

START_TEST(slices_of_a_thread_do_not_overlap)
{
    for (enum fixture_timeline kind = TIMELINE_SWITCHES; kind <= TIMELINE_TICKS; kind++) {
        struct timeline *timeline = fixture_timeline_random(kind, 20000, 30, 4, 3);
        AUTO_FREE char *text = written(timeline, "chrome");
        size_t instants = check_slices(timeline, text, kind == TIMELINE_DAMAGED);
        ck_assert_int_eq(instants > 0, kind != TIMELINE_SWITCHES);
        timeline_free(timeline);
    }
}
END_TEST

Suite *suite_trace_formats(void);

Suite *suite_trace_formats(void)
{
    TCase *tests = tcase_create("trace_formats");
    tcase_add_test(tests, files_are_what_was_agreed);
    tcase_add_test(tests, the_file_says_what_the_states_are);
    tcase_add_test(tests, no_events_are_a_whole_file);
    tcase_add_test(tests, times_are_not_negative);
    tcase_add_test(tests, a_full_disk_is_said);
    tcase_add_test(tests, a_period_is_that_of_the_profile_if_it_is_a_time);
    tcase_add_test(tests, records_are_shares_of_cpu_time);
    tcase_add_test(tests, runs_without_a_stack_are_shared_by_those_that_have_one);
    tcase_add_test(tests, records_stand_in_the_order_of_time);
    tcase_add_test(tests, slices_of_a_thread_do_not_overlap);
    Suite *suite = suite_create("trace_formats");
    suite_add_tcase(suite, tests);
    return suite;
}
