// SPDX-License-Identifier: MIT
#include "sample/tracer.h"

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>

#include "base/clock.h"

#define EVENT_OF(status) ((status) >> 8)
#define SIGNAL_OF(status) ((status) & 0xff)
#define CS_64BIT 0x33

void tracer_init(void)
{
    sigset_t stops;
    sigemptyset(&stops);
    sigaddset(&stops, SIGCHLD);
    sigprocmask(SIG_BLOCK, &stops, NULL);
    signal(SIGCHLD, SIG_DFL); // ignored, it would not be sent at all
}

// EPERM of a thread that is on its way out means the same as ESRCH; nobody can tell it from a
// missing permission by the number alone, so the caller asks /proc when it matters.
static enum rc rc_of_ptrace(void)
{
    return errno == EPERM || errno == EACCES ? RC_DENIED : RC_GONE;
}

enum rc tracer_seize(pid_t tid)
{
    return ptrace(PTRACE_SEIZE, tid, 0, 0) == 0 ? RC_OK : rc_of_ptrace();
}

bool tracer_interrupt(pid_t tid)
{
    return ptrace(PTRACE_INTERRUPT, tid, 0, 0) == 0;
}

// An exited thread that was traced stays a zombie, and its process with it, until its tracer has
// seen it; its parent still gets the status of a whole process afterwards.
static void reap(pid_t tid)
{
    siginfo_t info;
    waitid(P_PID, (id_t)tid, &info, WEXITED | WNOHANG | __WALL);
}

static enum tracer_wait look(pid_t tid, struct tracer_hold *hold)
{
    siginfo_t info = {0};
    // WNOWAIT: were we killed after a real wait, the signal of this stop would be lost.
    if (waitid(P_PID, (id_t)tid, &info, WSTOPPED | WEXITED | WNOHANG | WNOWAIT | __WALL) != 0)
        return errno == EINTR ? TRACER_RUNNING : TRACER_GONE;
    if (info.si_pid == 0)
        return TRACER_RUNNING;
    if (info.si_code != CLD_TRAPPED && info.si_code != CLD_STOPPED) {
        reap(tid);
        return TRACER_GONE;
    }
    // An event is our interrupt or a group-stop, which a release leaves as it is. No event: a
    // signal was about to be delivered, and still must be.
    hold->tid = tid;
    hold->signal = EVENT_OF(info.si_status) ? 0 : SIGNAL_OF(info.si_status);
    return TRACER_STOPPED;
}

enum tracer_wait tracer_wait(pid_t tid, int64_t spin_ns, struct tracer_hold *hold)
{
    int64_t deadline = clock_now() + spin_ns;
    for (;;) {
        enum tracer_wait result = look(tid, hold);
        if (result != TRACER_RUNNING || clock_now() >= deadline)
            return result;
        __builtin_ia32_pause();
    }
}

bool tracer_sleep(int64_t deadline)
{
    sigset_t wanted;
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigaddset(&wanted, SIGTERM);
    int64_t left = deadline - clock_now();
    if (left < 0)
        left = 0;
    struct timespec timeout = {left / NS_PER_S, left % NS_PER_S};
    return sigtimedwait(&wanted, NULL, &timeout) == SIGCHLD;
}

enum rc tracer_regs(const struct tracer_hold *hold, struct user_regs_struct *regs)
{
    struct iovec area = {regs, sizeof *regs};
    if (ptrace(PTRACE_GETREGSET, hold->tid, NT_PRSTATUS, &area) != 0)
        return RC_GONE;
    return area.iov_len == sizeof *regs && regs->cs == CS_64BIT ? RC_OK : RC_FORMAT;
}

void tracer_set_result(const struct tracer_hold *hold, long result)
{
    ptrace(PTRACE_POKEUSER, hold->tid, offsetof(struct user, regs.rax), result);
}

bool tracer_release(const struct tracer_hold *hold)
{
    return ptrace(PTRACE_DETACH, hold->tid, 0, hold->signal) == 0;
}
