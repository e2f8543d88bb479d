// SPDX-License-Identifier: MIT
// Processes that are asked to end, with a body of ours in the place of sampling.
#include "sample/sampler.h"

#include <check.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "sample/watchdog.h"
#include "tests/unit/skip.h"

#define RING_BYTES 65536

static struct control *control;

static void setup(void)
{
    ck_assert_ptr_nonnull(control = control_new(RING_BYTES, NULL));
}

static void teardown(void)
{
    control_free(control);
}

static void obey(struct control *shared, const void *argument)
{
    (void)argument;
    while (!atomic_load(&shared->stop))
        usleep(1000);
}

static void ignore_everything(struct control *shared, const void *argument)
{
    (void)shared, (void)argument;
    for (;;)
        pause(); // all signals are blocked
}

// What a sampler found about itself.
struct self {
    _Atomic rlim_t core, core_most;
    _Atomic int dumpable;
};

static void tell_and_abort(struct control *shared, const void *argument)
{
    struct self *self = *(struct self *const *)argument;
    struct rlimit limit;
    sigset_t all;
    (void)shared;
    getrlimit(RLIMIT_CORE, &limit);
    self->core = limit.rlim_cur;
    self->core_most = limit.rlim_max;
    self->dumpable = prctl(PR_GET_DUMPABLE);
    sigfillset(&all);
    sigprocmask(SIG_UNBLOCK, &all, NULL);
    signal(SIGABRT, SIG_DFL); // Check has a handler
    raise(SIGABRT);
}

// It holds copies of stacks, and writing a core would hold a target for long. A limit of zero does
// not keep a core from a program that core_pattern names.
START_TEST(leaves_no_core)
{
    struct rlimit limit;
    struct self *self = mmap(NULL, sizeof *self, PROT_READ | PROT_WRITE,
                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t child;
    int status;
    ck_assert_ptr_ne(self, MAP_FAILED);
    prctl(PR_SET_DUMPABLE, 1);
    getrlimit(RLIMIT_CORE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_CORE, &limit);
    ck_assert_int_eq(sampler_fork(control, tell_and_abort, &self, &child, NULL), RC_OK);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT && !WCOREDUMP(status));
    ck_assert_int_eq(self->dumpable, 0);
    SKIP_IF(!limit.rlim_max, "no process may leave a core here: the limit is not to be seen");
    ck_assert_uint_eq(self->core, 0);
    ck_assert_uint_eq(self->core_most, 0);
}
END_TEST

START_TEST(ends_by_itself)
{
    pid_t child;
    ck_assert_int_eq(sampler_fork(control, obey, NULL, &child, NULL), RC_OK);
    ck_assert(!sampler_ended(child));
    ck_assert(sampler_stop(control, child));
    ck_assert_int_eq(kill(child, 0), -1);
}
END_TEST

START_TEST(ends_by_force)
{
    pid_t child;
    ck_assert_int_eq(sampler_fork(control, ignore_everything, NULL, &child, NULL), RC_OK);
    ck_assert(sampler_stop(control, child));
    ck_assert_int_eq(kill(child, 0), -1);
}
END_TEST

// What a tracer has not reaped its parent cannot reap: as little to be ended as one that hangs in
// the kernel.
static pid_t trace(pid_t child)
{
    int ready[2];
    char byte = 0;
    ck_assert_int_eq(pipe(ready), 0);
    pid_t tracer = fork();
    if (!tracer) {
        byte = ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0;
        if (write(ready[1], &byte, 1) == 1)
            pause();
        _exit(0);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    close(ready[1]);
    if (byte)
        return tracer;
    kill(tracer, SIGKILL);
    waitpid(tracer, NULL, 0);
    return 0; // no right to
}

START_TEST(does_not_end)
{
    pid_t child;
    ck_assert_int_eq(sampler_fork(control, ignore_everything, NULL, &child, NULL), RC_OK);
    pid_t tracer = trace(child);
    ck_assert_int_eq(sampler_stop(control, child), tracer == 0);
    SKIP_IF(!tracer, "ptrace is not permitted here");
    kill(tracer, SIGKILL);
    waitpid(tracer, NULL, 0);
    while (!sampler_ended(child))
        usleep(1000);
}
END_TEST

// As a sampler that holds a thread, or only reads one, and then hangs.
static void hang(struct control *shared, const void *only_reads)
{
    struct sign_of_life *life = &shared->lives[shared->life_count - 1];
    atomic_store(&life->only_reads, only_reads != NULL);
    atomic_store(&life->busy_with, 4242);
    atomic_store(&life->busy_since, clock_now());
    ignore_everything(shared, NULL);
}

// Returns how long the last hold was; the watchdog ends the sampler, and sees by *seen that it did.
static int64_t last_hold(const void *only_reads, int64_t *seen)
{
    struct watchdog watchdog;
    pid_t child, tid = 0;
    ck_assert_int_eq(sampler_fork(control, hang, only_reads, &child, NULL), RC_OK);
    ck_assert_int_eq(watchdog_start(&watchdog, control, NULL), RC_OK);
    watchdog_guard(&watchdog, child);
    while (!sampler_ended(child))
        usleep(1000);
    while (!atomic_load(&watchdog.died_at))
        usleep(1000);
    *seen = clock_now();
    usleep(100000); // it does not count that we come late
    int64_t lasted = watchdog_last_hold(&watchdog, control->life_count - 1, &tid);
    ck_assert_int_eq(tid, 4242);
    for (unsigned i = 0; i < control->life_count; i++)
        ck_assert_int_eq(watchdog_last_hold(&watchdog, i, &tid), 0);
    watchdog_stop(&watchdog);
    return lasted;
}

START_TEST(hold_of_a_dead_sampler_counts)
{
    int64_t began = clock_now(), seen;
    int64_t lasted = last_hold(NULL, &seen);
    ck_assert_int_ge(lasted, 50 * NS_PER_MS);
    ck_assert_int_le(lasted, seen - began);
    ck_assert_uint_eq(control->held.count, 1);
    ck_assert_uint_eq(control->held.max, (uint64_t)lasted);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_STOPS]), 1);
}
END_TEST

START_TEST(reading_is_no_hold)
{
    int64_t seen;
    ck_assert_int_eq(last_hold("", &seen), 0);
    ck_assert_uint_eq(control->held.count, 0);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_STOPS]), 0);
}
END_TEST

Suite *suite_sampler(void)
{
    Suite *suite = suite_create("sampler");
    TCase *cases = tcase_create("sampler");
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_test(cases, leaves_no_core);
    tcase_add_test(cases, ends_by_itself);
    tcase_add_test(cases, ends_by_force);
    tcase_add_test(cases, does_not_end);
    tcase_add_test(cases, hold_of_a_dead_sampler_counts);
    tcase_add_test(cases, reading_is_no_hold);
    suite_add_tcase(suite, cases);
    return suite;
}
