// SPDX-License-Identifier: MIT
#include "sample/tracer.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define EVENT_OF(status) ((status) >> 8)
#define SIGNAL_OF(status) ((status) & 0xff)

void tracer_init(void)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGCHLD);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    signal(SIGCHLD, SIG_DFL); // ignored, it would not be sent at all
}

// No process has the highest number: where the call is allowed, there is nobody to trace.
int tracer_refusal(void)
{
    return ptrace(PTRACE_SEIZE, INT_MAX, 0, 0) != 0 && errno != ESRCH ? errno : 0;
}

// EPERM of a thread that is on its way out means the same as ESRCH; nobody can tell it from a
// missing permission by the number alone, so the caller asks /proc when it matters.
static enum rc rc_of_ptrace(void)
{
    return errno == EPERM || errno == EACCES ? RC_DENIED : RC_GONE;
}

// An exited thread that was traced stays a zombie, and its process with it, until its tracer has
// seen it; its parent still gets the status of a whole process afterwards.
static void reap(pid_t tid)
{
    siginfo_t info;
    waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL);
}

static enum tracer_wait classify(const siginfo_t *info, struct tracer_hold *hold)
{
    *hold = (struct tracer_hold){.tid = info->si_pid};
    if (info->si_code != CLD_TRAPPED && info->si_code != CLD_STOPPED) {
        reap(info->si_pid);
        return TRACER_GONE;
    }
    // An event is our interrupt or a group-stop, which a release leaves as it is. No event: a
    // signal was about to be delivered, and still must be.
    hold->signal = EVENT_OF(info->si_status) ? 0 : SIGNAL_OF(info->si_status);
    return TRACER_STOPPED;
}

void tracer_reap(void)
{
    siginfo_t info;
    do
        info.si_pid = 0;
    while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WALL | __WNOTHREAD) == 0 && info.si_pid);
}

void tracer_sleep(int64_t deadline)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    int64_t left = deadline - clock_now();
    if (left < 0)
        left = 0;
    struct timespec timeout = {left / NS_PER_S, left % NS_PER_S};
    sigtimedwait(&wanted, NULL, &timeout);
}

enum rc tracer_regs(const struct tracer_hold *hold, struct registers *regs)
{
    struct iovec area = {&regs->user, sizeof regs->user};
    if (ptrace(PTRACE_GETREGSET, hold->tid, NT_PRSTATUS, &area) != 0)
        return RC_GONE;
    return area.iov_len == sizeof regs->user && registers_are_wide(regs) ? RC_OK : RC_FORMAT;
}

void tracer_set_result(const struct tracer_hold *hold, long result)
{
    ptrace(PTRACE_POKEUSER, hold->tid, REGISTERS_RESULT_AT, result);
}

bool tracer_release(const struct tracer_hold *hold)
{
    return ptrace(PTRACE_DETACH, hold->tid, 0, hold->signal) == 0;
}

// --- threads that trace for themselves ---

#define GUARD SIGUSR1
#define AGAIN_NS (2 * NS_PER_MS) // the signal is repeated, for it may come just before a wait

static _Thread_local struct {
    timer_t timer;
    sigjmp_buf out;
    volatile sig_atomic_t attaching;
} self;

static void on_guard(int signal)
{
    (void)signal;
    if (self.attaching)
        siglongjmp(self.out, 1);
}

enum rc tracer_begin_thread(struct err *err)
{
    // The signal ends waits, so there is no SA_RESTART; after the jump it must not stay blocked.
    struct sigaction action = {.sa_handler = on_guard, .sa_flags = SA_NODEFER};
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = GUARD};
    struct sigaction quiet = {.sa_handler = SIG_DFL, .sa_flags = SA_NOCLDSTOP};
    sigset_t guard;
    event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
    if (timer_create(CLOCK_MONOTONIC, &event, &self.timer) != 0)
        return err_sys(err, RC_FAIL, errno, "cannot get a timer");
    sigaction(GUARD, &action, NULL);
    sigaction(SIGCHLD, &quiet, NULL); // waitid needs no signal to be woken
    sigemptyset(&guard);
    sigaddset(&guard, GUARD);
    pthread_sigmask(SIG_UNBLOCK, &guard, NULL);
    return RC_OK;
}

void tracer_end_thread(void)
{
    timer_delete(self.timer);
}

void tracer_guard(int64_t until)
{
    struct itimerspec at = {.it_value = {until / NS_PER_S, until % NS_PER_S},
                            .it_interval = {0, until ? AGAIN_NS : 0}};
    timer_settime(self.timer, TIMER_ABSTIME, &at, NULL);
}

static bool interrupt(pid_t tid)
{
    return ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0;
}

// An exec holds a lock that an attach waits for, and may wait itself, for a file server, or until
// we have seen the end of a thread that we trace.
enum rc tracer_attach(pid_t tid)
{
    if (sigsetjmp(self.out, 0)) { // it may have been attached just then
        self.attaching = 0;
        return interrupt(tid) ? RC_OK : RC_LIMIT;
    }
    self.attaching = 1;
    enum rc rc = ptrace(PTRACE_SEIZE, tid, 0, 0) == 0 ? RC_OK : rc_of_ptrace();
    self.attaching = 0;
    if (rc == RC_OK)
        interrupt(tid);
    return rc;
}

enum tracer_wait tracer_await(pid_t tid, int64_t until, struct tracer_hold *hold)
{
    siginfo_t info;
    bool over;
    do {
        over = clock_now() >= until;
        info.si_pid = 0;
        // WNOWAIT: were we killed after a real wait, the signal of this stop would be lost.
        int got = waitid(tid ? P_PID : P_ALL, (id_t)tid, &info,
                         WSTOPPED | WEXITED | WNOWAIT | __WALL | __WNOTHREAD |
                             (over ? WNOHANG : 0));
        if (got == 0 && info.si_pid)
            return classify(&info, hold);
        if (got != 0 && errno != EINTR) {
            *hold = (struct tracer_hold){.tid = tid};
            return TRACER_GONE;
        }
    } while (!over);
    return TRACER_RUNNING;
}

void tracer_disturb(pthread_t thread)
{
    pthread_kill(thread, GUARD);
}
