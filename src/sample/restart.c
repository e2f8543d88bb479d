// SPDX-License-Identifier: MIT
#include "sample/restart.h"

#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "base/mem.h"

// The kernel's own results of a system call that a stop broke off; user code sees only EINTR.
#define RESULT_RESTARTSYS (-512)
#define RESULT_RESTARTNOHAND (-514)
#define RESULT_RESTART_RESTARTBLOCK (-516)

// Calls that give EINTR to their caller after a stop without any signal; those of sockets only when
// a timeout is set (SO_RCVTIMEO, SO_SNDTIMEO). Of others EINTR is genuine.
static bool fails_when_stopped(long number)
{
    static const long calls[] = {
        SYS_epoll_wait,   SYS_epoll_pwait,     SYS_epoll_pwait2,   SYS_semop,   SYS_semtimedop,
        SYS_select,       SYS_rt_sigtimedwait, SYS_io_uring_enter, SYS_recvmsg, SYS_recvmmsg,
        SYS_recvfrom,     SYS_accept,          SYS_accept4,        SYS_sendmsg, SYS_sendmmsg,
        SYS_sendto,       SYS_connect,         SYS_io_getevents,   SYS_read,    SYS_readv,
        SYS_write,        SYS_writev,
    };
    for (size_t i = 0; i < ARRAY_LENGTH(calls); i++)
        if (calls[i] == number)
            return true;
    return false;
}

bool restart_in_syscall(const struct registers *regs)
{
    return registers_call(regs) >= 0;
}

bool restart_was_asleep(const struct registers *regs)
{
    long result = registers_result(regs);
    return restart_in_syscall(regs) &&
           (result == -EINTR ||
            (result <= RESULT_RESTARTSYS && result >= RESULT_RESTARTNOHAND) ||
            result == RESULT_RESTART_RESTARTBLOCK);
}

bool restart_repair(const struct tracer_hold *hold, const struct registers *regs, bool filtered)
{
    long result = registers_result(regs);
    bool fails = result == -EINTR && fails_when_stopped(registers_call(regs));
    bool dangerous = filtered && result == RESULT_RESTART_RESTARTBLOCK;
    if (!restart_in_syscall(regs) || (!fails && !dangerous))
        return false;
    tracer_set_result(hold, RESULT_RESTARTNOHAND);
    return fails;
}
