// SPDX-License-Identifier: MIT
// Timelines as Go's execution trace: what readers find in it, and that they find it whatever the
// timeline is like.
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "fixture_go_trace.h"
#include "fixture_plain.h"
#include "fixture_timeline.h"
#include "output/go_ends.h"
#include "output/trace.h"

static struct go_reading reading;

static void read_trace(struct timeline *timeline)
{
    char *bytes = NULL;
    size_t length = 0;
    struct err err;
    FILE *out = open_memstream(&bytes, &length);
    ck_assert_int_eq(trace_writers[0].write_timeline(timeline, out, &err), RC_OK);
    fclose(out);
    fixture_go_read(&reading, bytes, length);
    free(bytes);
    timeline_free(timeline);
}

static const struct read_event *find(enum go_event event, uint64_t goroutine, size_t number)
{
    for (size_t i = 0; i < reading.count; i++)
        if (reading.events[i].event == event &&
            (reading.events[i].goroutine == goroutine || reading.events[i].numbers[0] == goroutine))
            if (!number--)
                return &reading.events[i];
    ck_abort_msg("goroutine %" PRIu64 " has no such event %d", goroutine, event);
}

static void check_frames(uint64_t stack, const char *names)
{
    AUTO_BUF struct buf text = {0};
    const struct read_stack *read = fixture_go_stack(&reading, stack);
    for (size_t i = 0; i < read->count; i++)
        buf_printf(&text, "%s%s:%" PRIu64, i ? " " : "",
                   fixture_go_text(&reading, read->frames[i].name), read->frames[i].line);
    ck_assert_str_eq(text.data, names);
}

// A goroutine blocks and goes on; ms.
static void check_wait(uint64_t goroutine, enum go_event event, const char *names, uint64_t from,
                       uint64_t to, enum go_event end, size_t number)
{
    const struct read_event *block = find(event, goroutine, 0);
    check_frames(block->numbers[0], names);
    ck_assert_uint_eq(block->tick, from * NS_PER_MS + 1);
    ck_assert_uint_eq(find(end, goroutine, number)->tick, to * NS_PER_MS + 1);
}

START_TEST(waits_are_the_blocks_of_their_kinds)
{
    read_trace(fixture_timeline_scene());
    check_wait(100, GO_BLOCK_COND, "wait_for_work:80 main:10", 0, 400, GO_UNBLOCK, 0);
    check_wait(101, GO_SLEEP, "nap:40 main:10", 100, 400, GO_UNBLOCK, 1);
    check_wait(102, GO_BLOCK_SYNC, "take_lock:30 main:10", 0, 90, GO_UNBLOCK, 0);
    check_wait(102, GO_BLOCK_NET, "receive:50 main:10", 200, 350, GO_UNBLOCK, 1);
    check_wait(103, GO_SYSCALL, "read_disk:60 main:10", 0, 250, GO_SYSCALL_EXIT, 0);
    check_wait(103, GO_BLOCK_SELECT, "event_loop:70 main:10", 300, 400, GO_UNBLOCK, 0);
    fixture_go_free(&reading);
}
END_TEST

START_TEST(who_runs_wakes)
{
    read_trace(fixture_timeline_scene());
    const struct read_event *woken = find(GO_UNBLOCK, 102, 0);
    ck_assert_uint_eq(woken->goroutine, 101);
    ck_assert_uint_eq(woken->p, 0);
    check_frames(woken->numbers[2], "crunch:20 work:21 main:10");
    ck_assert_uint_eq(find(GO_START, 102, 1)->tick, 110 * NS_PER_MS + 1);
    woken = find(GO_UNBLOCK, 102, 1);
    ck_assert_uint_eq(woken->goroutine, 0);
    ck_assert_uint_eq(woken->p, GO_NOBODY);
    fixture_go_free(&reading);
}
END_TEST

START_TEST(names_of_threads_start_goroutines)
{
    static const char *const names[] = {"main", "worker", "worker", "disk & net", "worker",
                                        "starved"};
    read_trace(fixture_timeline_scene());
    for (uint64_t i = 0; i < ARRAY_LENGTH(names); i++) {
        const struct read_stack *stack =
            fixture_go_stack(&reading, find(GO_CREATE, 100 + i, 0)->numbers[1]);
        ck_assert_uint_eq(stack->count, 1);
        ck_assert_str_eq(fixture_go_text(&reading, stack->frames[0].name), names[i]);
        find(GO_START, 100 + i, 0);
    }
    ck_assert_uint_eq(find(GO_CREATE, 104, 0)->tick, 120 * NS_PER_MS + 1);
    ck_assert_uint_eq(find(GO_END, 104, 0)->tick, 180 * NS_PER_MS + 1);
    ck_assert_uint_eq(find(GO_CREATE, 101, 0)->numbers[1], find(GO_CREATE, 104, 0)->numbers[1]);
    check_frames(find(GO_UNBLOCK, 105, 0)->numbers[2], "crunch:20 work:21 main:10");
    fixture_go_free(&reading);
}
END_TEST

START_TEST(running_stacks_are_samples)
{
    read_trace(fixture_timeline_scene());
    const struct read_event *sample = find(GO_CPU_SAMPLE, 102, 0);
    ck_assert_uint_eq(sample->numbers[0], 110 * NS_PER_MS + 1);
    ck_assert_uint_eq(sample->numbers[1], 0);
    check_frames(sample->numbers[3], "crunch:20 work:21 main:10");
    fixture_go_free(&reading);
}
END_TEST

static const char *log_text(size_t number)
{
    for (size_t i = 0; i < reading.count; i++)
        if (reading.events[i].event == GO_USER_LOG && !number--)
            return reading.events[i].text;
    return "";
}

START_TEST(the_file_says_where_states_come_from)
{
    struct timeline *timeline = fixture_timeline_scene();
    timeline->exact = false;
    read_trace(fixture_timeline_scene());
    ck_assert_str_eq(log_text(0), "states are context switches of the kernel");
    ck_assert_str_eq(log_text(1), "");
    fixture_go_free(&reading);
    read_trace(timeline);
    ck_assert_str_eq(log_text(0),
                     "states are what each tick saw; what was between two is not known");
    fixture_go_free(&reading);
}
END_TEST

// --- timelines made by chance ---

struct sums { // ns
    uint64_t running, blocked[64]; // [enum go_event]
};

static enum go_event kind_of(const char *wait)
{
    static const struct { const char *wait; enum go_event event; } kinds[] = {
        {"lock", GO_BLOCK_SYNC}, {"condition", GO_BLOCK_COND}, {"semaphore", GO_BLOCK_SYNC},
        {"barrier", GO_BLOCK_SYNC}, {"join", GO_BLOCK_SYNC}, {"futex", GO_BLOCK_SYNC},
        {"poll", GO_BLOCK_SELECT}, {"socket", GO_BLOCK_NET}, {"pipe", GO_BLOCK_NET},
        {"file", GO_SYSCALL}, {"sleep", GO_SLEEP}, {"fault", GO_SYSCALL}, {"disk", GO_SYSCALL},
        {"child", GO_SYSCALL}, {"signal", GO_SYSCALL}, {"stopped", GO_BLOCK},
        {"other", GO_SYSCALL},
    };
    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++)
        if (strcmp(kinds[i].wait, wait) == 0)
            return kinds[i].event;
    return GO_BLOCK;
}

static struct sums sums_of(const struct timeline *timeline)
{
    struct sums sums = {0};
    for (size_t i = 0; i < timeline->event_count; i++) {
        const struct timeline_event *event = &timeline->events[i];
        const struct plain_label *label = plain_label(timeline->profile, event->labels, "wait");
        const char *wait = label ? plain_string(timeline->profile, label->text) : "";
        if (event->state == STATE_RUNNING)
            sums.running += (uint64_t)event->duration;
        if (event->state == STATE_BLOCKED)
            sums.blocked[kind_of(wait)] += (uint64_t)event->duration;
    }
    return sums;
}

// Whose state an event changes; 0: nobody's. Unblocks are events of who wakes, too.
static uint64_t whose(const struct read_event *event)
{
    switch (event->event) {
    case GO_UNBLOCK: case GO_SYSCALL_EXIT: return event->numbers[0];
    case GO_START: case GO_PREEMPT: case GO_END: case GO_SLEEP: case GO_BLOCK: case GO_BLOCK_SELECT:
    case GO_BLOCK_SYNC: case GO_BLOCK_COND: case GO_BLOCK_NET: case GO_SYSCALL:
        return event->goroutine;
    default: return 0;
    }
}

// What readers find: how long it is from a change to the next one of the same goroutine.
static struct sums sums_read(void)
{
    struct sums sums = {0};
    struct map numbers = {0};
    const struct read_event **before = xcalloc(reading.count, sizeof *before);
    for (size_t i = 0; i < reading.count; i++) {
        const struct read_event *event = &reading.events[i];
        if (!whose(event))
            continue;
        uint32_t number = map_number(&numbers, whose(event));
        uint64_t ns = before[number] ? event->tick - before[number]->tick : 0;
        if (before[number] && before[number]->event == GO_START)
            sums.running += ns;
        else if (before[number])
            sums.blocked[before[number]->event] += ns;
        before[number] = event;
    }
    sums.blocked[GO_UNBLOCK] = sums.blocked[GO_SYSCALL_EXIT] = sums.blocked[GO_PREEMPT] = 0;
    free(before);
    map_fini(&numbers);
    return sums;
}

START_TEST(sums_are_those_of_the_timeline)
{
    struct timeline *timeline =
        fixture_timeline_random(TIMELINE_SWITCHES, 3000, 20 + (uint32_t)_i, 4, (uint64_t)_i);
    struct sums truth = sums_of(timeline);
    read_trace(timeline);
    struct sums read = sums_read();
    ck_assert_uint_eq(read.running, truth.running);
    for (size_t i = 0; i < ARRAY_LENGTH(truth.blocked); i++)
        ck_assert_msg(read.blocked[i] == truth.blocked[i], "event %zu: %" PRIu64 ", not %" PRIu64,
                      i, read.blocked[i], truth.blocked[i]);
    ck_assert_str_eq(log_text(1), "");
    fixture_go_free(&reading);
}
END_TEST

START_TEST(any_timeline_is_accepted)
{
    enum fixture_timeline kind = _i % 2 ? TIMELINE_DAMAGED : TIMELINE_TICKS;
    uint32_t threads = 1 + (uint32_t)_i % 40, cpus = 1 + (uint32_t)_i % 5;
    read_trace(fixture_timeline_random(kind, 2000, threads, cpus, (uint64_t)_i));
    if (kind == TIMELINE_DAMAGED && threads > 20)
        ck_assert(strstr(log_text(1), " states were cut short by others"));
    fixture_go_free(&reading);
}
END_TEST

START_TEST(an_unsorted_timeline_is_accepted)
{
    struct timeline *timeline = fixture_timeline_random(TIMELINE_DAMAGED, 2000, 20, 3, 99);
    for (size_t i = 0; i < timeline->event_count; i++) {
        struct timeline_event *other = &timeline->events[i * 7919 % timeline->event_count];
        struct timeline_event event = timeline->events[i];
        timeline->events[i] = *other;
        *other = event;
    }
    read_trace(timeline);
    fixture_go_free(&reading);
}
END_TEST

START_TEST(no_events_are_a_trace)
{
    read_trace(timeline_new());
    ck_assert_uint_eq(reading.count, 2); // how many Ps there are, at the beginning and at the end
    fixture_go_free(&reading);
}
END_TEST

START_TEST(batches_have_bounded_sizes)
{
    read_trace(fixture_timeline_random(TIMELINE_SWITCHES, 30000, 20, 2, 1));
    ck_assert_uint_gt(reading.batches, 5);
    fixture_go_free(&reading);
}
END_TEST

// --- stacks and texts ---

static struct timeline *one_event(uint32_t frames, const char *name)
{
    struct timeline *timeline = timeline_new();
    struct plain_profile *profile = timeline->profile;
    uint32_t node = 0;
    for (uint32_t i = 0; i < frames; i++)
        node = plain_child(profile, node, fixture_location(profile, PLAIN_NONE, i, name));
    timeline_add_thread(timeline, plain_with_text(profile, 0, "thread", name));
    timeline_append(timeline, (struct timeline_event){
        .duration = NS_PER_MS, .state = STATE_BLOCKED, .stack = node,
        .cpu = TIMELINE_NONE, .woken_by = TIMELINE_NONE});
    return timeline;
}

static const struct read_stack *only_stack(void)
{
    for (size_t i = 0; i < reading.count; i++)
        if (reading.events[i].event == GO_BLOCK)
            return fixture_go_stack(&reading, reading.events[i].numbers[0]);
    ck_abort_msg("nobody has blocked");
}

START_TEST(deep_stacks_are_cut_at_their_roots)
{
    read_trace(one_event(127, "f"));
    ck_assert_uint_eq(only_stack()->count, 127);
    ck_assert_str_eq(fixture_go_text(&reading, only_stack()->frames[126].name), "f");
    fixture_go_free(&reading);
    read_trace(one_event(5000, "f"));
    ck_assert_uint_eq(only_stack()->count, 128);
    ck_assert_str_eq(fixture_go_text(&reading, only_stack()->frames[126].name), "f");
    ck_assert_str_eq(fixture_go_text(&reading, only_stack()->frames[127].name), "[cut]");
    fixture_go_free(&reading);
}
END_TEST

START_TEST(hostile_names_are_escaped)
{
    read_trace(one_event(1, "a\x1b[2J\xff\n"));
    ck_assert_str_eq(fixture_go_text(&reading, only_stack()->frames[0].name),
                     "a\\x1b[2J\xef\xbf\xbd\\x0a");
    fixture_go_free(&reading);
    char *name = xcalloc(3 << 20, 1);
    for (size_t i = 0; i + 4 < 3 << 20; i += 3)
        memcpy(name + i, "\xe2\x82\xac", 3);
    read_trace(one_event(1, name));
    ck_assert_uint_eq(strlen(fixture_go_text(&reading, only_stack()->frames[0].name)) % 3, 0);
    fixture_go_free(&reading);
    free(name);
}
END_TEST

START_TEST(a_full_disk_is_an_error)
{
    struct err err = {.text = ""};
    struct timeline *timeline = fixture_timeline_scene();
    FILE *full = fopen("/dev/full", "w");
    ck_assert_ptr_nonnull(full);
    ck_assert_int_eq(trace_writers[0].write_timeline(timeline, full, &err), RC_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "No space left"));
    fclose(full);
    timeline_free(timeline);
}
END_TEST

START_TEST(ends_come_in_order)
{
    struct go_ends ends;
    uint64_t random = 1;
    go_ends_init(&ends, 100);
    for (uint32_t i = 0; i < 1000; i++) // each ten times, the last one counts
        go_ends_set(&ends, i % 100, (int64_t)(random = random * 48271 % 2147483647) % 500);
    ck_assert_uint_eq(ends.count, 100);
    ck_assert_uint_eq(go_ends_take(&ends, -1), GO_ENDS_NONE);
    int64_t last = 0;
    for (size_t left = 100; left; left--) {
        uint32_t thread = go_ends_take(&ends, 500);
        ck_assert(thread < 100 && ends.times[thread] >= last);
        last = ends.times[thread];
    }
    ck_assert_uint_eq(go_ends_take(&ends, 500), GO_ENDS_NONE);
    go_ends_fini(&ends);
}
END_TEST

Suite *suite_trace_go(void);

Suite *suite_trace_go(void)
{
    TCase *tests = tcase_create("trace_go");
    tcase_add_test(tests, waits_are_the_blocks_of_their_kinds);
    tcase_add_test(tests, who_runs_wakes);
    tcase_add_test(tests, names_of_threads_start_goroutines);
    tcase_add_test(tests, running_stacks_are_samples);
    tcase_add_test(tests, the_file_says_where_states_come_from);
    tcase_add_loop_test(tests, sums_are_those_of_the_timeline, 0, 10);
    tcase_add_loop_test(tests, any_timeline_is_accepted, 0, 60);
    tcase_add_test(tests, an_unsorted_timeline_is_accepted);
    tcase_add_test(tests, no_events_are_a_trace);
    tcase_add_test(tests, batches_have_bounded_sizes);
    tcase_add_test(tests, deep_stacks_are_cut_at_their_roots);
    tcase_add_test(tests, hostile_names_are_escaped);
    tcase_add_test(tests, a_full_disk_is_an_error);
    tcase_add_test(tests, ends_come_in_order);
    Suite *suite = suite_create("trace_go");
    suite_add_tcase(suite, tests);
    return suite;
}
