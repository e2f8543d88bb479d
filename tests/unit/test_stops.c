// SPDX-License-Identifier: MIT
// On children of this process: some spin, one sleeps in a call that a stop breaks off, and one
// cannot stop while its own child lives.
#include "sample/stops.h"

#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "sample/sampler.h"
#include "tests/unit/skip.h"

#define PATIENCE_NS (20ll * NS_PER_S)
#define CHILDREN 3

static struct control *control;
static struct stops stops;
static pid_t children[CHILDREN];
static size_t child_count;
static int event_fd;
static _Atomic pid_t *grandchild;

static void set_up(void)
{
    struct err err = {0};
    control = control_new(1u << 16, &err);
    ck_assert_ptr_nonnull(control);
    grandchild = mmap(NULL, sizeof *grandchild, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                      -1, 0);
    ck_assert_ptr_ne(grandchild, MAP_FAILED);
    event_fd = eventfd(0, EFD_CLOEXEC);
    tracer_init();
    ck_assert_int_eq(tracer_begin_thread(&err), RC_OK);
    stops_init(&stops, control, control->lives, true, CHILDREN - 1);
}

static void tear_down(void)
{
    if (*grandchild)
        kill(*grandchild, SIGKILL);
    for (size_t i = 0; i < child_count; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    child_count = 0;
    munmap((void *)grandchild, sizeof *grandchild);
    stops_fini(&stops);
    tracer_end_thread();
    close(event_fd);
    control_free(control);
}

static void spin(void)
{
    for (;;)
        atomic_signal_fence(memory_order_seq_cst);
}

// Ends with the error number of its call.
static void wait_for_event(void)
{
    struct epoll_event event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event);
    _exit(epoll_wait(epoll, &event, 1, -1) == 1 ? 0 : errno);
}

// In an uninterruptible sleep until its child ends.
static void wait_for_vfork(void)
{
    if (syscall(SYS_vfork) == 0) {
        *grandchild = getpid();
        for (;;)
            pause();
    }
    spin();
}

static pid_t start(void (*body)(void))
{
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        body();
    }
    ck_assert_int_gt(pid, 0);
    return children[child_count++] = pid;
}

static void await_state(pid_t pid, char state)
{
    struct proc_stat stat = {0};
    for (int64_t deadline = clock_now() + PATIENCE_NS; stat.state != state;) {
        ck_assert(clock_now() < deadline);
        ck_assert_int_eq(procfs_stat(pid, pid, &stat), RC_OK);
    }
}

static enum rc ask(pid_t pid, void *owner)
{
    struct stop stop = {.tid = pid, .pid = pid, .owner = owner};
    return stops_ask(&stops, &stop, clock_now() + PATIENCE_NS);
}

static bool is_busy(void)
{
    return atomic_load(&control->lives->busy_since) != 0;
}

static void assert_untraced(pid_t pid)
{
    struct proc_status status = {0};
    ck_assert_int_eq(procfs_status(pid, &status), RC_OK);
    ck_assert_int_eq(status.tracer, 0);
}

static void release(struct hold *hold)
{
    hold_release(hold, control, NULL);
    ck_assert(hold->released);
}

START_TEST(asked_awaited_and_removed)
{
    struct hold hold = {0};
    int owner;
    pid_t pid = start(spin);
    int64_t before = clock_now();
    SKIP_IF(ask(pid, &owner) != RC_OK, "ptrace is not permitted here");
    ck_assert(is_busy());
    ck_assert_int_eq(atomic_load(&control->lives->busy_with), pid);
    ck_assert_int_eq(stops_await(&stops, clock_now() + PATIENCE_NS, &hold), TRACER_STOPPED);
    ck_assert_ptr_eq(hold.asked->owner, &owner);
    ck_assert_int_eq(hold.stop.tid, pid);
    ck_assert_int_eq(hold.examined, RC_OK);
    ck_assert_int_ge(hold.asked->asked_at, before);
    ck_assert_int_ge(hold.since, hold.asked->asked_at);
    ck_assert_int_le(hold.since, hold.stopped_at);
    release(&hold);
    stops_remove(&stops, hold.asked);
    ck_assert(!is_busy());
    ck_assert_int_eq(stops_await(&stops, clock_now() + PATIENCE_NS, &hold), TRACER_RUNNING);
    assert_untraced(pid);
}
END_TEST

START_TEST(ended_before_it_stopped)
{
    struct hold hold = {0};
    pid_t pid = start(wait_for_vfork);
    await_state(pid, 'D');
    SKIP_IF(ask(pid, NULL) != RC_OK, "ptrace is not permitted here");
    kill(pid, SIGKILL);
    ck_assert_int_eq(stops_await(&stops, clock_now() + PATIENCE_NS, &hold), TRACER_GONE);
    ck_assert_int_eq(hold.asked->tid, pid);
    stops_remove(&stops, hold.asked);
    ck_assert_int_eq(ask(pid, NULL), RC_GONE);
    ck_assert_uint_eq(stops.count, 0);
}
END_TEST

START_TEST(waited_for_no_longer_than_asked)
{
    struct hold hold = {0};
    pid_t pid = start(wait_for_vfork);
    await_state(pid, 'D');
    SKIP_IF(ask(pid, NULL) != RC_OK, "ptrace is not permitted here");
    int64_t until = clock_now() + 30 * NS_PER_MS, sign = atomic_load(&control->lives->busy_since);
    ck_assert_int_eq(stops_await(&stops, until, &hold), TRACER_RUNNING);
    ck_assert_int_ge(clock_now(), until);
    ck_assert_int_gt(atomic_load(&control->lives->busy_since), sign);
    ck_assert_uint_eq(stops.count, 1);
    kill(*grandchild, SIGKILL);
    ck_assert_int_eq(stops_await(&stops, clock_now() + PATIENCE_NS, &hold), TRACER_STOPPED);
    release(&hold);
    stops_remove(&stops, hold.asked);
}
END_TEST

START_TEST(no_more_are_pending_than_have_room)
{
    SKIP_IF(ask(start(spin), NULL) != RC_OK, "ptrace is not permitted here");
    ck_assert_int_eq(ask(start(spin), NULL), RC_OK);
    ck_assert_int_eq(ask(start(spin), NULL), RC_LIMIT);
    assert_untraced(children[2]);
}
END_TEST

START_TEST(kept_while_another_one_is_waited_for)
{
    struct hold holds[CHILDREN - 1] = {0};
    stops.keeps = true;
    SKIP_IF(ask(start(spin), NULL) != RC_OK, "ptrace is not permitted here");
    ck_assert_int_eq(ask(start(spin), NULL), RC_OK);
    for (size_t i = 0; i < CHILDREN - 1; i++) {
        ck_assert_int_eq(stops_await(&stops, clock_now() + PATIENCE_NS, &holds[i]),
                         TRACER_STOPPED);
        stops_remove(&stops, holds[i].asked);
        ck_assert(is_busy());
    }
    ck_assert_int_ne(holds[0].stop.tid, holds[1].stop.tid);
    for (size_t i = 0; i < CHILDREN - 1; i++)
        await_state(children[i], 't');
    for (size_t i = 0; i < CHILDREN - 1; i++)
        release(&holds[i]);
    stops.keeps = false;
    stops_rest(&stops);
    ck_assert(!is_busy());
}
END_TEST

static void assert_call_did_not_notice(pid_t pid)
{
    int status;
    assert_untraced(pid);
    eventfd_write(event_fd, 1);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    child_count--;
    ck_assert_int_eq(status, 0);
    ck_assert_uint_eq(atomic_load(&control->counts[COUNTER_REPAIRED]), 1);
}

START_TEST(given_up_and_drained)
{
    pid_t pid = start(wait_for_event);
    await_state(pid, 'S');
    SKIP_IF(ask(pid, NULL) != RC_OK, "ptrace is not permitted here");
    stops_remove(&stops, stops.pending);
    stops_drain(&stops, clock_now() + PATIENCE_NS);
    assert_call_did_not_notice(pid);
}
END_TEST

START_TEST(given_up_while_another_one_is_waited_for)
{
    struct hold hold = {0};
    pid_t pid = start(wait_for_event), stuck = start(wait_for_vfork);
    await_state(pid, 'S');
    await_state(stuck, 'D');
    SKIP_IF(ask(pid, NULL) != RC_OK, "ptrace is not permitted here");
    ck_assert_int_eq(ask(stuck, NULL), RC_OK);
    stops_remove(&stops, stops.pending);
    await_state(pid, 't');
    ck_assert_int_eq(stops_await(&stops, clock_now() + NS_PER_MS, &hold), TRACER_RUNNING);
    ck_assert_int_eq(stops.pending->tid, stuck);
    children[0] = stuck, children[1] = pid; // that ends first
    assert_call_did_not_notice(pid);
}
END_TEST

Suite *suite_stops(void);

Suite *suite_stops(void)
{
    TCase *tests = tcase_create("stops");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, asked_awaited_and_removed);
    tcase_add_test(tests, ended_before_it_stopped);
    tcase_add_test(tests, waited_for_no_longer_than_asked);
    tcase_add_test(tests, no_more_are_pending_than_have_room);
    tcase_add_test(tests, kept_while_another_one_is_waited_for);
    tcase_add_test(tests, given_up_and_drained);
    tcase_add_test(tests, given_up_while_another_one_is_waited_for);
    Suite *suite = suite_create("stops");
    suite_add_tcase(suite, tests);
    return suite;
}
