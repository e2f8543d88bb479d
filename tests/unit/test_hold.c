// SPDX-License-Identifier: MIT
// A child of this process that waits in a system call which a stop breaks off.
#include "sample/hold.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/memory.h"
#include "sample/sampler.h"
#include "tests/unit/skip.h"

#define PATIENCE_NS (60ll * NS_PER_S)
#define STACK_BYTES 4096u

static struct control *control;
static struct capture *capture;
static pid_t child;
static int event_fd;

// Ends with the error number of its call.
static _Noreturn void wait_for_event(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event);
    _exit(epoll_wait(epoll, &event, 1, -1) == 1 ? 0 : errno);
}

static bool sleeps(void)
{
    AUTO_BUF struct buf text = {0};
    struct proc_syscall call;
    return procfs_read(&text, "/proc/%d/syscall", child) == RC_OK &&
           proc_syscall_parse(text.data, &call) && call.number == SYS_epoll_wait;
}

static void set_up(void)
{
    struct err err = {0};
    int64_t deadline = clock_now() + PATIENCE_NS;
    control = control_new(1u << 16, &err);
    ck_assert_ptr_nonnull(control);
    capture = xcalloc(1, sizeof *capture + STACK_BYTES);
    event_fd = eventfd(0, EFD_CLOEXEC);
    tracer_init();
    child = fork();
    if (child == 0)
        wait_for_event();
    while (!sleeps())
        ck_assert(clock_now() < deadline);
}

static void tear_down(void)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    close(event_fd);
    free(capture);
    control_free(control);
}

static bool stop_it(struct hold *hold)
{
    *hold = (struct hold){.since = clock_now()};
    return tracer_attach(child) == RC_OK &&
           tracer_await(child, hold->since + PATIENCE_NS, &hold->stop) == TRACER_STOPPED;
}

static void assert_call_did_not_notice(void)
{
    int status;
    eventfd_write(event_fd, 1);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_int_eq(status, 0);
}

static uint64_t counted(enum counter counter)
{
    return atomic_load(&control->counts[counter]);
}

START_TEST(examined_copied_and_released)
{
    struct hold hold;
    const struct stack_plan plan = {0};
    AUTO_FREE char *path = xasprintf("/proc/%d/pagemap", child);
    AUTO_FD int pages_fd = open(path, O_RDONLY);
    const struct stack_request request = {&plan, {.fd = pages_fd}, STACK_BYTES};
    unsigned char stack[64];
    SKIP_IF(!stop_it(&hold), "ptrace is not permitted here");
    hold_examine(&hold, control, true);
    ck_assert_int_eq(hold.examined, RC_OK);
    ck_assert_uint_eq(counted(COUNTER_REPAIRED), 1);
    hold_copy(&hold, &request, capture);
    hold_release(&hold, control, capture);
    ck_assert(hold.released);
    ck_assert_int_eq(capture->time, hold.since);
    ck_assert_uint_eq(capture->flags & CAPTURE_IN_SYSCALL, CAPTURE_IN_SYSCALL);
    ck_assert_int_eq(capture->syscall, SYS_epoll_wait);
    ck_assert_int_eq(capture->held_ns, hold.released_at - hold.since);
    ck_assert_uint_ge(capture->stack_length, sizeof stack);
    ck_assert(memory_read(child, capture_sp(capture), stack, sizeof stack));
    ck_assert_mem_eq(capture->stack, stack, sizeof stack);
    ck_assert_uint_eq(counted(COUNTER_STOPS), 1);
    ck_assert_uint_eq(control->held.count, 1);
    assert_call_did_not_notice();
}
END_TEST

START_TEST(one_of_many_is_counted_once)
{
    struct hold hold;
    SKIP_IF(!stop_it(&hold), "ptrace is not permitted here");
    hold_examine(&hold, control, true);
    hold_examine(&hold, control, true); // the repair of a call is not repaired
    hold_release(&hold, control, NULL);
    ck_assert_uint_eq(counted(COUNTER_REPAIRED), 1);
    ck_assert_uint_eq(counted(COUNTER_STOPS), 1);
    ck_assert_uint_eq(control->held.count, 0);
    assert_call_did_not_notice();
}
END_TEST

START_TEST(undone)
{
    struct hold hold;
    SKIP_IF(!stop_it(&hold), "ptrace is not permitted here");
    ck_assert(hold_undo(&hold.stop, control, true));
    ck_assert_uint_eq(counted(COUNTER_REPAIRED), 1);
    ck_assert_uint_eq(counted(COUNTER_STOPS), 0);
    assert_call_did_not_notice();
}
END_TEST

START_TEST(queued_or_displaced)
{
    const struct hold hold = {.stopped_at = 1000};
    const struct schedstat before = {.wait_ns = 50, .switches = 7};
    struct schedstat now = {.wait_ns = 350, .switches = 8};
    ck_assert(hold_was_queued(&hold, &before, &now, 701)); // since 700
    ck_assert(!hold_was_queued(&hold, &before, &now, 700));
    now.switches = before.switches; // it has been on its CPU all the time
    ck_assert(!hold_was_queued(&hold, &before, &now, 701));
}
END_TEST

Suite *suite_hold(void);

Suite *suite_hold(void)
{
    TCase *tests = tcase_create("hold");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, examined_copied_and_released);
    tcase_add_test(tests, one_of_many_is_counted_once);
    tcase_add_test(tests, undone);
    tcase_add_test(tests, queued_or_displaced);
    Suite *suite = suite_create("hold");
    suite_add_tcase(suite, tests);
    return suite;
}
