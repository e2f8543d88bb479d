// SPDX-License-Identifier: MIT
#include "sample/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/call_filter.h"
#include "base/mem.h"
#include "process/machine.h"

#define BIT(capability) (1u << (capability))
#define LOOKING (BIT(CAP_SYS_PTRACE) | BIT(CAP_DAC_READ_SEARCH))

// Allowed whatever their arguments are: the kernel remembers that, and asks the filter no more.
static const uint32_t free_calls[] = {
    SYS_read, SYS_pread64, SYS_write, SYS_lseek, SYS_close, SYS_fstat, SYS_newfstatat,
    SYS_getdents64, SYS_poll, SYS_ppoll, SYS_eventfd2, SYS_statx, SYS_fcntl, SYS_dup, SYS_dup3,
    SYS_timerfd_create,
    SYS_timerfd_settime,
    // memory and threads
    SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect, SYS_madvise, SYS_mincore, SYS_brk, SYS_futex,
    SYS_set_robust_list, SYS_rseq, SYS_gettid, SYS_getpid, SYS_getppid, SYS_getrandom, SYS_exit,
    SYS_exit_group, SYS_pipe2,
    // time and signals
    SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep, SYS_restart_syscall,
    SYS_timer_create, SYS_timer_settime, SYS_timer_gettime, SYS_timer_getoverrun, SYS_timer_delete,
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait,
    SYS_rt_sigpending, SYS_sigaltstack,
    // when and where to run
    SYS_sched_setaffinity, SYS_sched_getaffinity, SYS_sched_setscheduler, SYS_sched_getscheduler,
    SYS_sched_setparam, SYS_sched_getparam, SYS_sched_setattr, SYS_sched_getattr, SYS_sched_yield,
    SYS_sched_get_priority_min, SYS_sched_get_priority_max, SYS_getpriority, SYS_setpriority,
    SYS_getcpu, SYS_uname, SYS_prctl, SYS_capget, SYS_capset,
    // targets
    SYS_waitid, SYS_wait4, SYS_process_vm_readv, SYS_pidfd_open, SYS_kcmp, SYS_get_robust_list,
};

static const uint32_t requests[] = {
    PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GETREGSET, PTRACE_DETACH, PTRACE_LISTEN,
    PTRACE_GETSIGINFO, PTRACE_GETEVENTMSG,
    PTRACE_PEEKUSER, PTRACE_PEEKDATA, PTRACE_PEEKTEXT, // --unwinder live
};

// Loads the low half of an argument, which is all that the kernel reads of those checked here.
static void load_argument(struct call_filter *filter, unsigned number)
{
    call_filter_load(filter, offsetof(struct seccomp_data, args) + number * sizeof(uint64_t));
}

static void refuse(struct call_filter *filter)
{
    call_filter_answer(filter, SECCOMP_RET_ERRNO | EPERM);
}

// Begins the part of the filter for one call, which end_call ends with a refusal. Returns where.
static unsigned short begin_call(struct call_filter *filter, uint32_t call)
{
    call_filter_branch(filter, call, 0, 0);
    return filter->length;
}

static void end_call(struct call_filter *filter, unsigned short begin)
{
    refuse(filter);
    filter->code[begin - 1].jf = (uint8_t)(filter->length - begin);
}

static void allow_ptrace(struct call_filter *filter)
{
    unsigned short begin = begin_call(filter, SYS_ptrace);
    load_argument(filter, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        call_filter_answer_if(filter, requests[i], SECCOMP_RET_ALLOW);
    call_filter_branch(filter, PTRACE_POKEUSER, 0, 3);
    load_argument(filter, 2);
    call_filter_answer_if(filter, REGISTERS_RESULT_AT, SECCOMP_RET_ALLOW);
    end_call(filter, begin);
}

// Allows the call if of the argument's bits in `mask` exactly those in `value` are set.
static void allow_masked(struct call_filter *filter, uint32_t call, unsigned argument,
                         uint32_t mask, uint32_t value)
{
    unsigned short begin = begin_call(filter, call);
    load_argument(filter, argument);
    call_filter_add(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    call_filter_answer_if(filter, value, SECCOMP_RET_ALLOW);
    end_call(filter, begin);
}

static void write_filter(struct call_filter *filter)
{
    call_filter_begin(filter, MACHINE_AUDIT, SECCOMP_RET_ERRNO | EPERM);
    allow_ptrace(filter); // first: for its sake the filter runs
    allow_masked(filter, SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);
    allow_masked(filter, SYS_clone, 0, CLONE_THREAD, CLONE_THREAD);
    allow_masked(filter, SYS_tgkill, 0, ~0u, (uint32_t)getpid());
    allow_masked(filter, SYS_prlimit64, 0, ~0u, 0); // of ourselves
    call_filter_answer_if(filter, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS); // glibc takes clone then
    for (size_t i = 0; i < ARRAY_LENGTH(free_calls); i++)
        call_filter_answer_if(filter, free_calls[i], SECCOMP_RET_ALLOW);
    refuse(filter);
}

static bool filter_calls(void)
{
    struct call_filter filter;
    write_filter(&filter);
    return call_filter_install(&filter);
}

// Keeps those of the capabilities that this thread has.
static void keep_capabilities(uint32_t kept)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};
    if (syscall(SYS_capget, &header, data) != 0)
        return;
    data[0].effective &= kept;
    data[0].permitted &= kept;
    data[0].inheritable = 0;
    data[1] = (struct __user_cap_data_struct){0};
    syscall(SYS_capset, &header, data);
}

static bool raise_limit(__rlimit_resource_t resource, rlim_t least)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) != 0)
        return false;
    if (limit.rlim_cur >= least)
        return true;
    limit.rlim_cur = least;
    limit.rlim_max = limit.rlim_max < least ? least : limit.rlim_max;
    return setrlimit(resource, &limit) == 0;
}

// Allows what priority_raise asks for: the lowest real-time priority, or nice -20.
static bool limits_allow_priority(void)
{
    return raise_limit(RLIMIT_RTPRIO, 1) && raise_limit(RLIMIT_NICE, 40);
}

bool privilege_reduce(void)
{
    keep_capabilities(LOOKING | (limits_allow_priority() ? 0 : BIT(CAP_SYS_NICE)));
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return filter_calls();
}

void privilege_drop_nice(void)
{
    keep_capabilities(LOOKING);
}
