// SPDX-License-Identifier: MIT
// On children of this process, which then are as they were.
#include "sample/tracer.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/procfs.h"
#include "tests/unit/skip.h"

#define PATIENCE_NS (60ll * NS_PER_S)
#define RESTART (-514) // ERESTARTNOHAND: the kernel restarts the call

// What a child and its test share.
static struct shared {
    _Atomic uint64_t turns;   // of its loop
    _Atomic unsigned signals; // that its handler was called for
    _Atomic int result, error; // of its system call
} *shared;

static pid_t child;

static void begin_to_trace(void)
{
    struct err err = {0};
    tracer_init();
    if (tracer_begin_thread(&err) != RC_OK)
        ck_abort_msg("%s", err.text);
}

static enum tracer_wait wait_for(pid_t tid, int64_t patience_ns, struct tracer_hold *hold)
{
    int64_t until = clock_now() + patience_ns;
    tracer_guard(until);
    enum tracer_wait now = tracer_await(tid, until, hold);
    tracer_guard(0);
    return now;
}

static void set_up(void)
{
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(shared, MAP_FAILED);
    begin_to_trace();
}

static void tear_down(void)
{
    tracer_end_thread();
    if (child > 0)
        kill(child, SIGKILL);
    if (child > 0)
        waitpid(child, NULL, 0);
    child = 0;
    munmap(shared, sizeof *shared);
}

static void on_signal(int number)
{
    (void)number;
    shared->signals++;
}

static _Noreturn void spin(void)
{
    signal(SIGUSR1, on_signal);
    for (;;)
        shared->turns++;
}

static void start(void (*body)(void))
{
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
        _exit(0);
    }
}

// Whether a child of ours may be traced; the reason goes to the log if not.
static bool is_permitted(void)
{
    struct tracer_hold hold;
    start(spin);
    enum rc rc = tracer_attach(child);
    if (rc == RC_OK && wait_for(child, PATIENCE_NS, &hold) == TRACER_STOPPED)
        tracer_release(&hold);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    child = 0;
    return rc == RC_OK;
}

static void assert_untraced(char state)
{
    struct proc_status status = {0};
    int64_t deadline = clock_now() + PATIENCE_NS;
    do
        ck_assert_int_eq(procfs_status(child, &status), RC_OK);
    while (status.state != state && clock_now() < deadline);
    ck_assert_int_eq(status.state, state);
    ck_assert_int_eq(status.tracer, 0);
}

static void hold_it(struct tracer_hold *hold)
{
    ck_assert_int_eq(tracer_attach(child), RC_OK);
    ck_assert_int_eq(wait_for(child, PATIENCE_NS, hold), TRACER_STOPPED);
    ck_assert_int_eq(hold->tid, child);
}

// Waits until the child has counted on.
static void assert_runs(void)
{
    int64_t deadline = clock_now() + PATIENCE_NS;
    uint64_t before = shared->turns;
    while (shared->turns == before)
        ck_assert(clock_now() < deadline);
}

// --- a thread that runs

static bool is_code_of(pid_t pid, uint64_t address)
{
    AUTO_BUF struct buf text = {0};
    struct proc_map map;
    ck_assert_int_eq(procfs_read(&text, "/proc/%d/maps", pid), RC_OK);
    for (char *cursor = text.data; proc_map_parse(&cursor, &map);)
        if (map.executable && address >= map.start && address < map.end)
            return true;
    return false;
}

START_TEST(running)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    struct registers regs;
    struct proc_status status;
    start(spin);
    assert_runs();
    for (int round = 0; round < 100; round++) {
        hold_it(&hold);
        ck_assert_int_eq(hold.signal, 0);
        ck_assert_int_eq(tracer_regs(&hold, &regs), RC_OK);
        ck_assert(is_code_of(child, registers_pc(&regs)));
        ck_assert_int_eq(registers_call(&regs), -1); // in no system call
        tracer_release(&hold);
        assert_runs();
    }
    hold_it(&hold);
    uint64_t turns = shared->turns;
    ck_assert_int_eq(procfs_status(child, &status), RC_OK);
    ck_assert_int_eq(status.state, 't');
    ck_assert_int_eq(status.tracer, getpid());
    ck_assert_uint_eq(shared->turns, turns); // held: it counts no further
    tracer_release(&hold);
    assert_runs();
    assert_untraced('R');
}
END_TEST

// A signal that arrives at the same moment is handled by the target, and once.
START_TEST(signals_are_handed_on)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    start(spin);
    assert_runs();
    for (unsigned sent = 1; sent <= 300; sent++) {
        int64_t deadline = clock_now() + PATIENCE_NS;
        kill(child, SIGUSR1);
        hold_it(&hold);
        ck_assert(hold.signal == 0 || hold.signal == SIGUSR1);
        tracer_release(&hold);
        while (shared->signals != sent)
            ck_assert(clock_now() < deadline);
    }
    assert_runs();
    ck_assert_uint_eq(shared->signals, 300);
    assert_untraced('R');
}
END_TEST

// The same when the signal itself is the stop.
START_TEST(a_signal_that_stops_is_handed_on)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    start(spin);
    assert_runs();
    for (unsigned sent = 1; sent <= 50; sent++) {
        struct tracer_hold hold;
        int64_t deadline = clock_now() + PATIENCE_NS;
        ck_assert_int_eq(ptrace(PTRACE_SEIZE, child, 0, 0), 0);
        kill(child, SIGUSR1);
        ck_assert_int_eq(wait_for(child, PATIENCE_NS, &hold), TRACER_STOPPED);
        ck_assert_int_eq(hold.signal, SIGUSR1);
        tracer_release(&hold);
        while (shared->signals != sent)
            ck_assert_msg(clock_now() < deadline, "the signal of the stop is lost");
    }
    assert_runs();
}
END_TEST

static pid_t traced;

// Asks for a stop with a signal on its way, and is killed while it holds the thread.
static void hold_a_signal_and_die(void)
{
    struct tracer_hold hold = {0};
    pid_t tid = traced;
    begin_to_trace();
    if (ptrace(PTRACE_SEIZE, tid, 0, 0) != 0)
        shared->error = EPERM;
    kill(tid, SIGUSR1);
    if (wait_for(tid, PATIENCE_NS, &hold) == TRACER_STOPPED)
        shared->result = hold.signal;
    kill(getpid(), SIGKILL);
}

START_TEST(a_signal_outlives_its_tracer)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    int64_t deadline = clock_now() + PATIENCE_NS;
    start(spin);
    assert_runs();
    pid_t target = traced = child;
    start(hold_a_signal_and_die);
    waitpid(child, NULL, 0);
    child = target;
    SKIP_IF(shared->error, "a sibling may not be traced here");
    ck_assert_int_eq(shared->result, SIGUSR1);
    while (!shared->signals)
        ck_assert_msg(clock_now() < deadline, "the signal of the stop is lost");
    assert_runs();
    ck_assert_uint_eq(shared->signals, 1);
    assert_untraced('R');
}
END_TEST

// --- a thread that is stopped already

START_TEST(stopped_stays_stopped)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    start(spin);
    assert_runs();
    kill(child, SIGSTOP);
    ck_assert_int_eq(waitpid(child, NULL, WUNTRACED), child);
    assert_untraced('T');
    for (int round = 0; round < 20; round++) {
        hold_it(&hold);
        ck_assert_int_eq(hold.signal, 0);
        tracer_release(&hold);
        assert_untraced('T');
    }
    uint64_t turns = shared->turns;
    kill(child, SIGCONT);
    assert_runs();
    ck_assert_uint_gt(shared->turns, turns);
    assert_untraced('R');
}
END_TEST

// --- a thread that sleeps in a system call

static int event_fd;

static void wait_for_event(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event);
    shared->result = epoll_wait(epoll, &event, 1, -1);
    shared->error = errno;
}

static void start_waiting(void (*body)(void))
{
    AUTO_BUF struct buf text = {0};
    int64_t deadline = clock_now() + PATIENCE_NS;
    AUTO_FREE char *wanted = xasprintf("%d ", SYS_epoll_wait);
    event_fd = eventfd(0, EFD_CLOEXEC);
    start(body);
    do {
        ck_assert_int_eq(procfs_read(&text, "/proc/%d/syscall", child), RC_OK);
        ck_assert(clock_now() < deadline);
    } while (strncmp(text.data, wanted, strlen(wanted)) != 0);
}

// Lets the call return, if it has not.
static void assert_returned(int result, int error)
{
    eventfd_write(event_fd, 1);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    child = 0;
    ck_assert_int_eq(shared->result, result);
    if (result < 0)
        ck_assert_int_eq(shared->error, error);
    close(event_fd);
}

START_TEST(a_broken_call_is_repaired)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    struct registers regs;
    start_waiting(wait_for_event);
    for (int round = 0; round < 20; round++) {
        hold_it(&hold);
        ck_assert_int_eq(tracer_regs(&hold, &regs), RC_OK);
        ck_assert_int_eq(registers_call(&regs), SYS_epoll_wait);
        ck_assert_int_eq(registers_result(&regs), -EINTR);
        tracer_set_result(&hold, RESTART);
        tracer_release(&hold);
        assert_untraced('S'); // asleep again
    }
    assert_returned(1, 0);
}
END_TEST

// Why the repair is needed.
START_TEST(a_broken_call_fails)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    start_waiting(wait_for_event);
    hold_it(&hold);
    tracer_release(&hold);
    assert_returned(-1, EINTR);
}
END_TEST

static void wait_with_handler(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGUSR1, &action, NULL);
    wait_for_event();
}

// The repair takes no signal from the target: with a handler the call fails as it always did.
START_TEST(a_real_signal_still_interrupts)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    int64_t deadline = clock_now() + PATIENCE_NS;
    start_waiting(wait_with_handler);
    hold_it(&hold);
    kill(child, SIGUSR1);
    tracer_set_result(&hold, RESTART);
    tracer_release(&hold);
    while (!shared->signals)
        ck_assert(clock_now() < deadline);
    assert_returned(-1, EINTR);
    ck_assert_uint_eq(shared->signals, 1);
}
END_TEST

// --- a thread that ends

START_TEST(gone)
{
    struct tracer_hold hold;
    start(spin);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    pid_t pid = child;
    child = 0;
    ck_assert_int_eq(tracer_attach(pid), RC_GONE);
    ck_assert_int_eq(wait_for(pid, 0, &hold), TRACER_GONE);
}
END_TEST

START_TEST(killed_while_held)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    start(spin);
    assert_runs();
    hold_it(&hold);
    kill(child, SIGKILL);
    // A stop of it may still be seen; its end is then.
    int64_t deadline = clock_now() + PATIENCE_NS;
    while (wait_for(child, NS_PER_MS, &hold) != TRACER_GONE)
        ck_assert(clock_now() < deadline);
    ck_assert_int_eq(tracer_attach(child), RC_GONE); // no zombie is left
    child = 0;
}
END_TEST

START_TEST(killed_before_release)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    struct tracer_hold hold;
    int64_t deadline = clock_now() + PATIENCE_NS;
    struct proc_status status;
    start(spin);
    assert_runs();
    hold_it(&hold);
    kill(child, SIGKILL);
    if (!tracer_release(&hold)) // ours until it is seen to be gone
        while (wait_for(child, NS_PER_MS, &hold) != TRACER_GONE)
            ck_assert(clock_now() < deadline);
    while (procfs_status(child, &status) == RC_OK && waitpid(child, NULL, WNOHANG) != child)
        ck_assert(clock_now() < deadline);
    child = 0;
}
END_TEST

// --- who else is there

static void seize_and_stay(void)
{
    pid_t target = shared->result;
    shared->error = ptrace(PTRACE_SEIZE, target, 0, 0) == 0 ? 1 : -1;
    pause();
}

START_TEST(traced_by_somebody_else)
{
    SKIP_IF(!is_permitted(), "ptrace is not permitted here");
    int64_t deadline = clock_now() + PATIENCE_NS;
    start(spin);
    pid_t target = child;
    shared->result = target;
    start(seize_and_stay);
    while (!shared->error)
        ck_assert(clock_now() < deadline);
    enum rc rc = tracer_attach(target);
    kill(target, SIGKILL);
    SKIP_IF(shared->error < 0, "a sibling may not be traced here");
    ck_assert_int_eq(rc, RC_DENIED);
}
END_TEST

START_TEST(sleeps_until_something_happens)
{
    int64_t deadline = clock_now() + PATIENCE_NS;
    child = fork();
    if (child == 0)
        _exit(0);
    tracer_sleep(deadline); // its end wakes us
    ck_assert(clock_now() < deadline);
    tracer_sleep(0); // a deadline that is over
    int64_t short_one = clock_now() + NS_PER_MS;
    tracer_sleep(short_one);
    ck_assert(clock_now() >= short_one);
}
END_TEST

Suite *suite_tracer(void);

Suite *suite_tracer(void)
{
    TCase *tests = tcase_create("tracer");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, running);
    tcase_add_test(tests, signals_are_handed_on);
    tcase_add_test(tests, a_signal_that_stops_is_handed_on);
    tcase_add_test(tests, a_signal_outlives_its_tracer);
    tcase_add_test(tests, stopped_stays_stopped);
    tcase_add_test(tests, a_broken_call_is_repaired);
    tcase_add_test(tests, a_broken_call_fails);
    tcase_add_test(tests, a_real_signal_still_interrupts);
    tcase_add_test(tests, gone);
    tcase_add_test(tests, killed_while_held);
    tcase_add_test(tests, killed_before_release);
    tcase_add_test(tests, traced_by_somebody_else);
    tcase_add_test(tests, sleeps_until_something_happens);
    Suite *suite = suite_create("tracer");
    suite_add_tcase(suite, tests);
    return suite;
}
