// SPDX-License-Identifier: MIT
// A recorder is told of switches, looks and periods: what its timeline says then.
#include "collect/recorder.h"

#include <check.h>

#include "base/clock.h"
#include "profile/fill.h"

enum { A = 70, B = 71, PID = 70 };

static struct recorder *recorder;
static struct timeline *timeline;

static void set_up(void)
{
    static const char *const directories[] = {"/no/such/directory", "/tmp", NULL};
    const struct recorder_options options = {directories, 1};
    ck_assert_int_eq(recorder_new(&options, &recorder, NULL), RC_OK);
    timeline = NULL;
    recorder_meet(recorder, PID, A, "main");
    recorder_meet(recorder, PID, B, "other");
}

static void tear_down(void)
{
    timeline_free(timeline);
    recorder_free(recorder);
}

static void turn(pid_t tid, int64_t time, enum profile_state state, uint32_t cpu)
{
    recorder_turn(recorder, &(struct recorder_turn){PID, tid, time, cpu, state});
}

static struct run_trace finish(int64_t end)
{
    struct run_trace facts = {0};
    ck_assert_int_eq(recorder_finish(recorder, 0, end, &timeline, NULL), RC_OK);
    recorder_facts(recorder, &facts);
    return facts;
}

// The next event of the thread with that tid, which must be this one.
static const struct timeline_event *check(size_t *at, pid_t tid, int64_t time, int64_t end,
                                          enum profile_state state)
{
    const struct timeline_event *event;
    do {
        ck_assert_uint_lt(*at, timeline->event_count);
        event = &timeline->events[(*at)++];
    } while (plain_label(timeline->profile, timeline->threads[event->thread], "tid")->number !=
             tid);
    ck_assert_int_eq(event->time, time);
    ck_assert_int_eq(event->time + event->duration, end);
    ck_assert_int_eq(event->state, state);
    return event;
}

START_TEST(switches_are_states)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    turn(A, 200, STATE_RUNNING, 1);
    turn(A, 300, STATE_QUEUED, 1);
    turn(A, 350, STATE_RUNNING, 0);
    turn(A, 360, STATE_BLOCKED, 0);
    struct run_trace facts = finish(500);
    check(&at, A, 100, 200, STATE_BLOCKED);
    ck_assert_uint_eq(check(&at, A, 200, 300, STATE_RUNNING)->cpu, 1);
    ck_assert_uint_eq(check(&at, A, 300, 350, STATE_QUEUED)->cpu, TIMELINE_NONE);
    ck_assert_uint_eq(check(&at, A, 350, 360, STATE_RUNNING)->cpu, 0);
    check(&at, A, 360, 500, STATE_BLOCKED);
    ck_assert_uint_eq(timeline->event_count, 5);
    ck_assert(timeline->exact);
    ck_assert_uint_eq(facts.exact, 1);
    ck_assert_uint_eq(facts.threads, 2);
}
END_TEST

// What a thread did before its first switch, that switch says. What it was taken for counts when
// there is none.
START_TEST(first_switch_says_what_was_before)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    recorder_list(recorder, PID, B, false, 100);
    turn(A, 200, STATE_BLOCKED, 3);
    turn(B, 200, STATE_RUNNING, 2);
    finish(300);
    ck_assert_uint_eq(check(&at, A, 100, 200, STATE_RUNNING)->cpu, 3);
    at = 0;
    check(&at, B, 100, 200, STATE_QUEUED);
    at = 0;
    check(&at, A, 100, 200, STATE_RUNNING);
    check(&at, A, 200, 300, STATE_BLOCKED);
}
END_TEST

// Events that are open twice tell everything twice.
START_TEST(what_is_told_twice_counts_once)
{
    recorder_list(recorder, PID, A, true, 100);
    for (int i = 0; i < 2; i++)
        recorder_birth(recorder, PID, B, A, 150);
    for (int i = 0; i < 2; i++)
        turn(B, 200, STATE_RUNNING, 1);
    for (int i = 0; i < 2; i++)
        turn(B, 250, STATE_BLOCKED, 1);
    for (int i = 0; i < 2; i++)
        recorder_end(recorder, B, 300);
    size_t at = 0;
    struct run_trace facts = finish(400);
    check(&at, B, 150, 200, STATE_QUEUED);
    check(&at, B, 200, 250, STATE_RUNNING);
    check(&at, B, 250, 300, STATE_BLOCKED);
    ck_assert_uint_eq(timeline->event_count, 4);
    ck_assert_uint_eq(facts.threads, 2);
}
END_TEST

// What a switch takes is the next thread's, unless the CPU did something else meanwhile.
START_TEST(switches_belong_to_who_comes)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    recorder_list(recorder, PID, B, true, 100);
    turn(A, 10000, STATE_RUNNING, 1);
    turn(A, 20000, STATE_BLOCKED, 1);
    turn(B, 20900, STATE_RUNNING, 1);
    turn(B, 30000, STATE_BLOCKED, 1);
    turn(A, 40000, STATE_RUNNING, 1);
    finish(50000);
    check(&at, B, 100, 20000, STATE_BLOCKED);
    check(&at, B, 20000, 30000, STATE_RUNNING);
    at = 0;
    check(&at, A, 100, 10000, STATE_BLOCKED);
    check(&at, A, 10000, 20000, STATE_RUNNING);
    check(&at, A, 20000, 40000, STATE_BLOCKED);
}
END_TEST

// A record that was lost lets no CPU run two threads.
START_TEST(no_cpu_runs_two_threads)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    recorder_list(recorder, PID, B, true, 100);
    turn(A, 200, STATE_RUNNING, 1);
    turn(B, 300, STATE_RUNNING, 1); // A's leaving was lost
    turn(A, 400, STATE_BLOCKED, 1); // and its coming back
    finish(500);
    check(&at, A, 100, 200, STATE_BLOCKED);
    check(&at, A, 200, 300, STATE_RUNNING);
    check(&at, A, 300, 500, STATE_BLOCKED);
}
END_TEST

// A thread that executes a program gets the number of the first thread, which has ended, while it
// is on its CPU.
START_TEST(a_thread_gets_another_number)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    recorder_list(recorder, PID, B, true, 100);
    turn(B, 200, STATE_RUNNING, 1);
    recorder_end(recorder, A, 250);
    turn(A, 300, STATE_BLOCKED, 1);
    turn(A, 400, STATE_RUNNING, 1);
    recorder_exec(recorder, PID, 1, 450);
    finish(500);
    check(&at, B, 100, 200, STATE_BLOCKED);
    check(&at, B, 200, 300, STATE_RUNNING);
    check(&at, B, 300, 450, STATE_BLOCKED);
    at = 0;
    check(&at, A, 100, 250, STATE_BLOCKED);
    check(&at, A, 300, 400, STATE_BLOCKED);
    check(&at, A, 400, 500, STATE_RUNNING);
}
END_TEST

START_TEST(numbers_of_threads_are_used_again)
{
    size_t at = 0;
    recorder_birth(recorder, PID, 80, A, 100);
    turn(80, 110, STATE_RUNNING, 0);
    recorder_end(recorder, 80, 120);
    recorder_birth(recorder, PID, 80, A, 200);
    turn(80, 230, STATE_RUNNING, 0); // and its end was lost
    recorder_birth(recorder, PID, 80, A, 300);
    turn(80, 330, STATE_RUNNING, 0);
    struct run_trace facts = finish(400);
    ck_assert_uint_eq(facts.threads, 5);
    check(&at, 80, 100, 110, STATE_QUEUED);
    check(&at, 80, 110, 120, STATE_RUNNING);
    check(&at, 80, 200, 230, STATE_QUEUED);
    check(&at, 80, 230, 300, STATE_RUNNING);
    check(&at, 80, 300, 330, STATE_QUEUED);
    const struct timeline_event *last = check(&at, 80, 330, 400, STATE_RUNNING);
    const struct plain_label *name =
        plain_label(timeline->profile, timeline->threads[last->thread], "thread");
    ck_assert_str_eq(plain_string(timeline->profile, name->text), "main"); // its creator's
}
END_TEST

START_TEST(exec_ends_the_other_threads)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    recorder_list(recorder, PID, B, true, 100);
    turn(B, 150, STATE_RUNNING, 1);
    recorder_meet(recorder, PID, 80, "of the new program");
    recorder_exec(recorder, PID, 1, 200);
    recorder_name(recorder, PID, A, "new");
    recorder_birth(recorder, PID, 80, A, 250);
    struct run_trace facts = finish(300);
    ck_assert_uint_eq(facts.threads, 3);
    check(&at, A, 100, 200, STATE_BLOCKED);
    check(&at, A, 200, 300, STATE_RUNNING);
    at = 0;
    check(&at, B, 100, 150, STATE_BLOCKED);
    check(&at, B, 150, 200, STATE_RUNNING);
    check(&at, 80, 250, 300, STATE_QUEUED);
    ck_assert_uint_eq(timeline->event_count, 5);
}
END_TEST

// --- looks ---

static void look(pid_t tid, int64_t time, enum profile_state state, uint32_t stack)
{
    recorder_look(recorder, &(struct recorder_look){
        .tid = tid, .time = time, .state = state, .stack = stack,
        .wait = state == STATE_BLOCKED ? 9 : 0, .owner = state == STATE_BLOCKED ? B : 0,
        .stopped = state == STATE_RUNNING});
}

// A look that comes before the switches around it waits for them; one that comes later finds them.
START_TEST(blocked_looks_find_their_events)
{
    size_t at = 0;
    recorder_list(recorder, PID, A, true, 100);
    recorder_told_until(recorder, 110);
    look(A, 250, STATE_BLOCKED, 5);
    turn(A, 150, STATE_RUNNING, 0);
    turn(A, 200, STATE_BLOCKED, 0);
    turn(A, 300, STATE_RUNNING, 0);
    turn(A, 350, STATE_BLOCKED, 0);
    recorder_told_until(recorder, 400);
    look(A, 120, STATE_BLOCKED, 4);
    look(A, 320, STATE_BLOCKED, 6); // it ran then
    look(99, 320, STATE_BLOCKED, 6); // nobody
    struct run_trace facts = finish(400);
    const struct timeline_event *event = check(&at, A, 100, 150, STATE_BLOCKED);
    ck_assert_uint_eq(event->stack, 4);
    ck_assert_uint_eq(check(&at, A, 150, 200, STATE_RUNNING)->stack, 0);
    event = check(&at, A, 200, 300, STATE_BLOCKED);
    ck_assert_uint_eq(event->stack, 5);
    ck_assert_uint_eq(event->labels, 9);
    ck_assert_uint_eq(event->woken_by, 1);
    ck_assert_uint_eq(facts.unplaced, 2);
}
END_TEST

// A sample is of the turn that we ended by displacing the thread, not only of the one in which it
// came back to stop; and the stop is ours.
START_TEST(samples_find_the_turn_before)
{
    size_t at = 0;
    int64_t stop = 5 * NS_PER_MS;
    recorder_list(recorder, PID, A, true, 100);
    turn(A, 200, STATE_RUNNING, 0);
    turn(A, stop, STATE_QUEUED, 0);
    turn(A, stop + 100, STATE_RUNNING, 0);
    turn(A, stop + 200, STATE_BLOCKED, 0);
    turn(A, stop + 300, STATE_RUNNING, 0);
    recorder_told_until(recorder, stop + 400);
    look(A, stop + 250, STATE_RUNNING, 7);
    finish(stop + 500);
    ck_assert_uint_eq(check(&at, A, 100, 200, STATE_BLOCKED)->stack, 0);
    ck_assert_uint_eq(check(&at, A, 200, stop, STATE_RUNNING)->stack, 7);
    ck_assert_uint_eq(check(&at, A, stop, stop + 100, STATE_QUEUED)->stack, 7);
    ck_assert_uint_eq(check(&at, A, stop + 100, stop + 200, STATE_RUNNING)->stack, 7);
    const struct timeline_event *event = check(&at, A, stop + 200, stop + 300, STATE_BLOCKED);
    ck_assert_uint_eq(event->labels, FILL_STOPPED);
    ck_assert_uint_eq(check(&at, A, stop + 300, stop + 500, STATE_RUNNING)->stack, 0);
}
END_TEST

// --- without switches ---

static void period(pid_t tid, int64_t time, uint64_t running, uint64_t queued)
{
    recorder_period(recorder, &(struct recorder_period){
        .tid = tid, .time = time, .elapsed = 1000, .running = running, .queued = queued});
}

// Two looks found it running, 300 of 1000: each is 150 around its look, behind 50 in the queue.
START_TEST(periods_add_up)
{
    size_t at = 0;
    look(A, 1100, STATE_BLOCKED, 4);
    look(A, 1400, STATE_RUNNING, 5);
    look(A, 1950, STATE_RUNNING, 6);
    look(A, 1600, STATE_BLOCKED, 7);
    period(A, 2000, 300, 100);
    struct run_trace facts = finish(3000);
    ck_assert_uint_eq(check(&at, A, 1000, 1275, STATE_BLOCKED)->stack, 4);
    check(&at, A, 1275, 1325, STATE_QUEUED);
    ck_assert_uint_eq(check(&at, A, 1325, 1475, STATE_RUNNING)->stack, 5);
    ck_assert_uint_eq(check(&at, A, 1475, 1800, STATE_BLOCKED)->stack, 7);
    check(&at, A, 1800, 1850, STATE_QUEUED);
    ck_assert_uint_eq(check(&at, A, 1850, 2000, STATE_RUNNING)->stack, 6);
    ck_assert_uint_eq(timeline->event_count, 6);
    ck_assert(!timeline->exact);
    ck_assert_uint_eq(facts.exact, 0);
}
END_TEST

// A thread that sleeps on is one event, however many periods it lasts; one that ran unseen did so.
START_TEST(periods_go_on)
{
    size_t at = 0;
    look(A, 1500, STATE_BLOCKED, 4);
    period(A, 2000, 0, 0);
    recorder_asleep(recorder, A);
    period(A, 3000, 0, 0);
    period(A, 4000, 200, 0);
    finish(5000);
    ck_assert_uint_eq(check(&at, A, 1000, 3000, STATE_BLOCKED)->stack, 4);
    ck_assert_uint_eq(check(&at, A, 3000, 3800, STATE_BLOCKED)->stack, 0);
    check(&at, A, 3800, 4000, STATE_RUNNING);
}
END_TEST

// Whoever may still be told of by switches is not told of by periods.
START_TEST(switches_are_waited_for)
{
    int64_t now = clock_now();
    recorder_expect(recorder, true);
    period(A, now, 1000, 0);
    recorder_miss(recorder, B);
    period(B, now, 1000, 0);
    size_t at = 0;
    finish(now);
    check(&at, B, now - 1000, now, STATE_RUNNING);
    ck_assert_uint_eq(timeline->event_count, 1);
}
END_TEST

// --- what gives way ---

// The oldest events are dropped. What is left is whole from one time on, for a thread that slept
// all the time too.
START_TEST(oldest_events_give_way)
{
    const int64_t turns = 1000000;
    recorder_list(recorder, PID, A, true, 0);
    recorder_list(recorder, PID, B, true, 0);
    for (int64_t time = 1; time <= turns; time++)
        turn(B, time, time % 2 ? STATE_RUNNING : STATE_BLOCKED, 0);
    size_t at = 0;
    struct run_trace facts = finish(turns + 1);
    ck_assert_int_gt(facts.since, 0);
    ck_assert_uint_gt(facts.dropped, 0);
    ck_assert_uint_lt(timeline->event_count, (size_t)turns);
    ck_assert_int_eq(timeline->events[0].time, facts.since);
    check(&at, A, facts.since, turns + 1, STATE_BLOCKED);
    at = 0;
    for (int64_t time = facts.since; time <= turns; time++)
        check(&at, B, time, time + 1, time % 2 ? STATE_RUNNING : STATE_BLOCKED);
}
END_TEST

// Threads that come and go take no more room than the events that are kept of them.
START_TEST(threads_give_way_with_their_events)
{
    const int64_t lives = 300000;
    for (int64_t i = 0; i < lives; i++) {
        pid_t tid = 1000 + (pid_t)(i % 30000);
        recorder_birth(recorder, PID, tid, A, 10 * i + 1);
        turn(tid, 10 * i + 2, STATE_RUNNING, 0);
        recorder_end(recorder, tid, 10 * i + 9);
    }
    struct run_trace facts = finish(10 * lives);
    ck_assert_uint_lt(facts.threads, (uint64_t)lives / 4);
    ck_assert_uint_gt(timeline->event_count, 50000);
    for (size_t at = timeline->event_count - 2, i = 0; i < 2; i++)
        check(&at, 1000 + (lives - 1) % 30000, 10 * (lives - 1) + 1 + (int64_t)i,
              10 * (lives - 1) + (i ? 9 : 2), i ? STATE_RUNNING : STATE_QUEUED);
    for (size_t i = 0; i + 1 < timeline->event_count; i += 2) // pairs of the same thread
        ck_assert_uint_eq(timeline->events[i].thread, timeline->events[i + 1].thread);
}
END_TEST

START_TEST(no_directory)
{
    static const char *const nowhere[] = {"/no/such/directory", NULL};
    const struct recorder_options options = {nowhere, 1 << 20};
    struct recorder *none = NULL;
    struct err err;
    ck_assert_int_eq(recorder_new(&options, &none, &err), RC_IO);
}
END_TEST

Suite *suite_recorder(void);

Suite *suite_recorder(void)
{
    TCase *tests = tcase_create("recorder");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, switches_are_states);
    tcase_add_test(tests, first_switch_says_what_was_before);
    tcase_add_test(tests, what_is_told_twice_counts_once);
    tcase_add_test(tests, switches_belong_to_who_comes);
    tcase_add_test(tests, no_cpu_runs_two_threads);
    tcase_add_test(tests, a_thread_gets_another_number);
    tcase_add_test(tests, numbers_of_threads_are_used_again);
    tcase_add_test(tests, exec_ends_the_other_threads);
    tcase_add_test(tests, blocked_looks_find_their_events);
    tcase_add_test(tests, samples_find_the_turn_before);
    tcase_add_test(tests, periods_add_up);
    tcase_add_test(tests, periods_go_on);
    tcase_add_test(tests, switches_are_waited_for);
    tcase_add_test(tests, oldest_events_give_way);
    tcase_add_test(tests, threads_give_way_with_their_events);
    tcase_add_test(tests, no_directory);
    Suite *suite = suite_create("recorder");
    suite_add_tcase(suite, tests);
    return suite;
}
