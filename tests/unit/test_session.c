// SPDX-License-Identifier: MIT
// Whole runs on children of this process. Where ptrace is not permitted they say so and pass.
#include "collect/session.h"

#include <check.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/session_report.h"
#include "process/procfs.h"
#include "profile/totals.h"
#include "sample/tracer.h"
#include "tests/unit/skip.h"

#define PATIENCE_NS (60ll * NS_PER_S)
#define NOINLINE __attribute__((noipa))

static pid_t child;
static int gate[2]; // a child that waits at it ends when it is written to

static volatile uint64_t turns;

static NOINLINE void session_test_spin(void)
{
    for (;;)
        turns++;
}

static NOINLINE void sleep_and_end(void)
{
    char byte;
    while (read(gate[0], &byte, 1) < 0)
        continue;
}

static pid_t start(void (*body)(void))
{
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        _exit(0);
    }
    return pid;
}

static void end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void set_up(void)
{
    ck_assert_int_eq(pipe(gate), 0);
    child = start(session_test_spin);
}

static void tear_down(void)
{
    if (child)
        end(child);
}

static bool is_permitted(void)
{
    struct tracer_hold hold;
    bool held = tracer_attach(child) == RC_OK &&
                tracer_await(child, clock_now() + PATIENCE_NS, &hold) == TRACER_STOPPED;
    if (held)
        tracer_release(&hold);
    return held;
}

static struct session *open_pids(const pid_t *pids, size_t count,
                                 const struct session_options *options)
{
    struct session *session = NULL;
    struct err err = {0};
    enum rc rc = session_open(pids, count, options, &session, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
    return session;
}

// What a run is driven to.
struct wish {
    struct session *session;
    bool (*granted)(const struct run *run, uint64_t wanted); // NULL: the end of the targets
    uint64_t wanted;
    int64_t deadline;
};

static bool goes_on(void *context, bool woken)
{
    const struct wish *wish = context;
    ck_assert(!woken);
    ck_assert_msg(clock_now() < wish->deadline, "it takes too long");
    return !wish->granted || !wish->granted(session_progress(wish->session), wish->wanted);
}

static enum rc run_until(struct session *session,
                         bool (*granted)(const struct run *run, uint64_t wanted), uint64_t wanted)
{
    struct wish wish = {session, granted, wanted, clock_now() + PATIENCE_NS};
    const struct session_drive drive = {
        .every_ms = 50, .fd = -1, .step = goes_on, .context = &wish};
    struct err err = {0};
    enum rc rc = session_run(session, &drive, &err);
    ck_assert_msg(rc == RC_OK || rc == RC_GONE, "%s", err.text);
    return rc;
}

static bool has_samples(const struct run *run, uint64_t wanted)
{
    return run->counts[COUNTER_SAMPLES] >= wanted;
}

static bool has_sampled_threads(const struct run *run, uint64_t wanted)
{
    return run->counts[COUNTER_THREADS_SAMPLED] == wanted;
}

static bool has_lost_process(const struct run *run, uint64_t index)
{
    return run->processes[index].ended;
}

static bool has_gone_on(const struct run *run, uint64_t wanted)
{
    return run->counts[COUNTER_ROUNDS] >= wanted;
}

static void sample(struct session *session, uint64_t wanted)
{
    ck_assert_int_eq(run_until(session, has_samples, wanted), RC_OK);
}

static void start_session(struct session *session)
{
    struct err err = {0};
    enum rc rc = session_start(session, &err);
    ck_assert_msg(rc == RC_OK, "%s", err.text);
}

static void assert_untouched(pid_t pid)
{
    struct proc_status status;
    ck_assert_int_eq(procfs_status(pid, &status), RC_OK);
    ck_assert_int_eq(status.tracer, 0);
    ck_assert_int_eq(status.state, 'R');
}

static uint64_t samples_of(const struct report *report)
{
    uint64_t samples = 0;
    for (size_t i = 0; i < profile_value_count(report->profile); i++)
        samples += profile_value_get(report->profile, i)->samples;
    return samples;
}

static uint64_t cpu_of(const struct report *report)
{
    uint64_t cpu_ns = 0;
    for (size_t i = 0; i < profile_value_count(report->profile); i++)
        cpu_ns += profile_value_get(report->profile, i)->ns;
    return cpu_ns;
}

// The clocks of thread and process are read one after the other: a tick or two may lie between.
static void assert_all_charged(const struct report *report)
{
    uint64_t found = cpu_of(report), charged = report->run->counts[COUNTER_CPU_NS];
    ck_assert_uint_le(found, charged + 20 * NS_PER_MS);
    ck_assert_uint_ge(found + 20 * NS_PER_MS, charged);
    ck_assert_uint_le(report->run->counts[COUNTER_UNATTRIBUTED_NS], 20 * NS_PER_MS);
}

static void assert_hottest(const struct report *report, const char *function)
{
    struct plain_profile *profile = report_profile(report);
    struct measure measure = measure_of(profile);
    struct totals totals;
    totals_init(&totals, &measure, 1);
    ck_assert_uint_eq(totals.count, 1);
    ck_assert_str_eq(totals.rows[0].function, function);
    ck_assert_uint_eq(totals.all.samples, report->run->counts[COUNTER_SAMPLES]);
    totals_fini(&totals);
    plain_free(profile);
}

// --- runs

START_TEST(spinning)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session *session = open_pids(&child, 1, &session_defaults);
    start_session(session);
    sample(session, 20);
    session_finish(session);
    assert_untouched(child);
    struct report report = session_report(session);
    const struct run *run = report.run;
    ck_assert_uint_ge(run->counts[COUNTER_SAMPLES], 20);
    ck_assert_uint_eq(samples_of(&report), run->counts[COUNTER_SAMPLES]);
    assert_all_charged(&report);
    ck_assert_uint_ge(run->counts[COUNTER_STOPS], run->counts[COUNTER_SAMPLES]);
    // Rounds are those of one CPU, and it may have run on several.
    ck_assert_uint_ge(run->counts[COUNTER_ROUNDS] * (uint64_t)sysconf(_SC_NPROCESSORS_CONF),
                      run->counts[COUNTER_SAMPLES]);
    ck_assert_int_gt(run->counts[COUNTER_HELD_MAX], 0);
    ck_assert_int_ge(run->counts[COUNTER_HELD_MAX], run->counts[COUNTER_HELD_P99]);
    ck_assert_int_ge(run->counts[COUNTER_HELD_P99], run->counts[COUNTER_HELD_P50]);
    ck_assert_uint_eq(run->counts[COUNTER_THREADS_SAMPLED], 1);
    ck_assert_int_eq(run->end, RUN_INTERRUPTED);
    ck_assert_uint_eq(run->process_count, 1);
    ck_assert_int_eq(run->processes[0].pid, child);
    ck_assert(!run->processes[0].ended);
    assert_hottest(&report, "session_test_spin");
    int64_t duration = run->duration;
    session_finish(session); // again: nothing changes
    ck_assert_int_eq(session_report(session).run->duration, duration);
    session_close(session);
}
END_TEST

START_TEST(listed_twice)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    const pid_t pids[] = {child, child, child};
    struct session *session = open_pids(pids, 3, &session_defaults);
    start_session(session);
    sample(session, 5);
    session_finish(session);
    struct report report = session_report(session);
    ck_assert_uint_eq(report.run->process_count, 1);
    ck_assert_uint_eq(report.run->counts[COUNTER_THREADS_SAMPLED], 1);
    ck_assert_uint_eq(report.run->counts[COUNTER_THREADS_SEEN], 1);
    session_close(session);
}
END_TEST

START_TEST(two_processes)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    pid_t other = start(session_test_spin);
    const pid_t pids[] = {child, other};
    struct session *session = open_pids(pids, 2, &session_defaults);
    start_session(session);
    ck_assert_int_eq(run_until(session, has_sampled_threads, 2), RC_OK);
    end(other);
    ck_assert_int_eq(run_until(session, has_lost_process, 1), RC_OK); // one is still there
    session_finish(session);
    const struct run *run = session_report(session).run;
    ck_assert_uint_eq(run->process_count, 2);
    ck_assert(!run->processes[0].ended);
    session_close(session);
}
END_TEST

START_TEST(only_threads_of_that_name)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session_options options = session_defaults;
    options.threads = "^no such name$";
    struct session *session = open_pids(&child, 1, &options);
    start_session(session);
    ck_assert_int_eq(run_until(session, has_gone_on, 20), RC_OK);
    session_finish(session);
    struct report report = session_report(session);
    ck_assert_uint_eq(report.run->counts[COUNTER_SAMPLES], 0);
    ck_assert_uint_eq(report.run->counts[COUNTER_STOPS], 0);
    ck_assert_uint_eq(cpu_of(&report), 0);
    session_close(session);
}
END_TEST

START_TEST(unwound_live)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session_options options = session_defaults;
    options.unwinder = UNWINDER_LIVE;
    options.max_stop = 100;
    struct session *session = open_pids(&child, 1, &options);
    start_session(session);
    sample(session, 5);
    session_finish(session);
    assert_untouched(child);
    struct report report = session_report(session);
    assert_hottest(&report, "session_test_spin");
    session_close(session);
}
END_TEST

START_TEST(paused)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session *session = open_pids(&child, 1, &session_defaults);
    start_session(session);
    sample(session, 3);
    session_pause(session, true);
    uint64_t rounds;
    do { // the round that is going on ends
        rounds = session_progress(session)->counts[COUNTER_ROUNDS];
        ck_assert_int_eq(run_until(session, has_gone_on, 0), RC_OK);
    } while (session_progress(session)->counts[COUNTER_ROUNDS] != rounds);
    session_pause(session, false);
    sample(session, session_progress(session)->counts[COUNTER_SAMPLES] + 3);
    session_finish(session);
    struct report report = session_report(session);
    assert_all_charged(&report);
    // The child ran on meanwhile, which is not ours to tell.
    ck_assert_int_lt((int64_t)report.run->counts[COUNTER_CPU_NS],
                     report.run->duration + 100 * NS_PER_MS);
    session_close(session);
}
END_TEST

struct pausing {
    struct session *session;
    int steps;
    int64_t paused_at, paused_ns;
};

static bool pause_at_first(void *context, bool woken)
{
    struct pausing *pausing = context;
    ck_assert(!woken);
    if (++pausing->steps == 3)
        pausing->paused_ns = clock_now() - pausing->paused_at;
    session_pause(pausing->session, pausing->steps < 3);
    if (pausing->steps == 1)
        pausing->paused_at = clock_now();
    return true;
}

START_TEST(time_is_over)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct err err;
    struct pausing pausing = {.session = open_pids(&child, 1, &session_defaults)};
    const struct session_drive drive = {.duration = 300 * NS_PER_MS, .every_ms = 20, .fd = -1,
                                        .step = pause_at_first, .context = &pausing};
    start_session(pausing.session);
    int64_t began = clock_now();
    ck_assert_int_eq(session_run(pausing.session, &drive, &err), RC_OK);
    ck_assert_int_ge(clock_now() - began, 300 * NS_PER_MS + pausing.paused_ns);
    session_finish(pausing.session);
    const struct run *run = session_report(pausing.session).run;
    ck_assert_int_eq(run->end, RUN_DURATION);
    ck_assert_int_ge(run->duration, 300 * NS_PER_MS);
    session_close(pausing.session);
}
END_TEST

// --- targets that end

static enum rc run_to_the_end(struct session *session)
{
    return run_until(session, NULL, 0);
}

START_TEST(ends_at_once)
{
    pid_t short_lived = start(sleep_and_end);
    struct session *session = open_pids(&short_lived, 1, &session_defaults);
    start_session(session);
    ck_assert_int_eq(write(gate[1], "x", 1), 1);
    ck_assert_int_eq(waitpid(short_lived, NULL, 0), short_lived);
    ck_assert_int_eq(run_to_the_end(session), RC_GONE);
    session_finish(session);
    const struct run *run = session_report(session).run;
    ck_assert(!run->process_count || run->processes[0].ended); // it may not have been met at all
    session_close(session);
}
END_TEST

START_TEST(ended_before_the_start)
{
    pid_t short_lived = start(sleep_and_end);
    struct session *session = open_pids(&short_lived, 1, &session_defaults);
    end(short_lived);
    start_session(session);
    ck_assert_int_eq(run_to_the_end(session), RC_GONE);
    session_finish(session);
    struct report report = session_report(session);
    ck_assert_uint_eq(report.run->counts[COUNTER_SAMPLES], 0);
    ck_assert_uint_eq(profile_value_count(report.profile), 0);
    session_close(session);
}
END_TEST

START_TEST(killed_while_sampled)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session *session = open_pids(&child, 1, &session_defaults);
    start_session(session);
    sample(session, 10);
    end(child);
    child = 0;
    ck_assert_int_eq(run_to_the_end(session), RC_GONE);
    session_finish(session);
    struct report report = session_report(session);
    ck_assert_uint_ge(report.run->counts[COUNTER_SAMPLES], 10);
    ck_assert_int_eq(report.run->end, RUN_TARGET_ENDED);
    ck_assert(report.run->processes[0].ended);
    assert_hottest(&report, "session_test_spin");
    session_close(session);
}
END_TEST

// Its parent, this process, never asks for its status.
START_TEST(becomes_a_zombie)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session *session = open_pids(&child, 1, &session_defaults);
    start_session(session);
    sample(session, 3);
    kill(child, SIGKILL);
    ck_assert_int_eq(run_to_the_end(session), RC_GONE);
    session_finish(session);
    ck_assert(session_report(session).run->processes[0].ended);
    session_close(session);
}
END_TEST

// --- what is refused

static pid_t own(void)
{
    return getpid();
}

static pid_t nobody(void)
{
    pid_t pid = start(sleep_and_end);
    end(pid);
    return pid;
}

static pid_t zombie(void)
{
    siginfo_t info;
    pid_t pid = start(sleep_and_end);
    kill(pid, SIGKILL);
    waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
    return pid;
}

static pid_t zero(void)
{
    return 0;
}

static pid_t negative(void)
{
    return -1;
}

static pid_t largest(void)
{
    return INT_MAX;
}

static const struct {
    pid_t (*pid)(void);
    enum rc rc;
} refused[] = {
    {own, RC_USAGE},  {getppid, RC_USAGE}, {nobody, RC_GONE},  {zombie, RC_GONE},
    {zero, RC_USAGE}, {negative, RC_USAGE}, {largest, RC_GONE},
};

START_TEST(is_refused)
{
    struct session *session = NULL;
    struct err err = {0};
    const pid_t pids[] = {child, refused[_i].pid()};
    ck_assert_int_eq(session_open(pids, 2, &session_defaults, &session, &err), refused[_i].rc);
    ck_assert_ptr_null(session);
    ck_assert_str_ne(err.text, "");
    assert_untouched(child);
}
END_TEST

START_TEST(bad_expression)
{
    struct session *session = NULL;
    struct session_options options = session_defaults;
    struct err err = {0};
    options.threads = "(";
    ck_assert_int_eq(session_open(&child, 1, &options, &session, &err), RC_USAGE);
    ck_assert_ptr_null(session);
    ck_assert_ptr_nonnull(strstr(err.text, "'(' is not a regular expression"));
}
END_TEST

START_TEST(closed_unused)
{
    session_close(open_pids(&child, 1, &session_defaults));
    session_close(NULL);
    assert_untouched(child);
}
END_TEST

START_TEST(closed_while_it_runs)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct session *session = open_pids(&child, 1, &session_defaults);
    start_session(session);
    sample(session, 1);
    session_close(session);
    assert_untouched(child);
    end(child);
    child = 0;
    ck_assert_int_eq(waitpid(-1, NULL, 0), -1); // no sampler is left
}
END_TEST

static TCase *runs(void)
{
    TCase *tests = tcase_create("runs");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, spinning);
    tcase_add_test(tests, listed_twice);
    tcase_add_test(tests, two_processes);
    tcase_add_test(tests, only_threads_of_that_name);
    tcase_add_test(tests, unwound_live);
    tcase_add_test(tests, paused);
    tcase_add_test(tests, time_is_over);
    tcase_add_test(tests, ends_at_once);
    tcase_add_test(tests, ended_before_the_start);
    tcase_add_test(tests, killed_while_sampled);
    tcase_add_test(tests, becomes_a_zombie);
    return tests;
}

Suite *suite_session(void);

Suite *suite_session(void)
{
    TCase *tests = tcase_create("edges");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, is_refused, 0, (int)ARRAY_LENGTH(refused));
    tcase_add_test(tests, bad_expression);
    tcase_add_test(tests, closed_unused);
    tcase_add_test(tests, closed_while_it_runs);
    Suite *suite = suite_create("session");
    suite_add_tcase(suite, runs());
    suite_add_tcase(suite, tests);
    return suite;
}
