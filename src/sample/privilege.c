// SPDX-License-Identifier: MIT
#include "sample/privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <unistd.h>

#include "base/mem.h"

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
    SYS_setitimer, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait,
    SYS_rt_sigpending, SYS_sigaltstack,
    // when and where to run
    SYS_sched_setaffinity, SYS_sched_getaffinity, SYS_sched_setscheduler, SYS_sched_getscheduler,
    SYS_sched_setparam, SYS_sched_getparam, SYS_sched_setattr, SYS_sched_getattr, SYS_sched_yield,
    SYS_sched_get_priority_min, SYS_sched_get_priority_max, SYS_getpriority, SYS_setpriority,
    SYS_getcpu, SYS_uname, SYS_prctl, SYS_capget, SYS_capset,
    // targets
    SYS_waitid, SYS_wait4, SYS_process_vm_readv, SYS_pidfd_open, SYS_kcmp,
};

static const uint32_t requests[] = {
    PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_GETREGSET, PTRACE_DETACH, PTRACE_LISTEN,
    PTRACE_GETSIGINFO, PTRACE_GETEVENTMSG,
    PTRACE_PEEKUSER, PTRACE_PEEKDATA, PTRACE_PEEKTEXT, // --unwinder live
};

struct program {
    struct sock_filter code[2 * (ARRAY_LENGTH(free_calls) + ARRAY_LENGTH(requests)) + 40];
    unsigned short length;
};

static void emit(struct program *program, struct sock_filter instruction)
{
    program->code[program->length++] = instruction;
}

static void load(struct program *program, size_t offset)
{
    emit(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

// The low half of an argument: what the kernel reads of those that are looked at here.
static void load_argument(struct program *program, unsigned number)
{
    load(program, offsetof(struct seccomp_data, args) + number * sizeof(uint64_t));
}

static void answer(struct program *program, uint32_t action)
{
    emit(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void answer_if_equal(struct program *program, uint32_t value, uint32_t action)
{
    emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1));
    answer(program, action);
}

static void refuse(struct program *program)
{
    answer(program, SECCOMP_RET_ERRNO | EPERM);
}

// Begins what holds for one call only; it ends with a refusal. Returns where, for end_call.
static unsigned short begin_call(struct program *program, uint32_t call)
{
    emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 0));
    return program->length;
}

static void end_call(struct program *program, unsigned short begin)
{
    refuse(program);
    program->code[begin - 1].jf = (uint8_t)(program->length - begin);
}

static void allow_ptrace(struct program *program)
{
    unsigned short begin = begin_call(program, SYS_ptrace);
    load_argument(program, 0);
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        answer_if_equal(program, requests[i], SECCOMP_RET_ALLOW);
    emit(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PTRACE_POKEUSER, 0, 3));
    load_argument(program, 2);
    answer_if_equal(program, offsetof(struct user, regs.rax), SECCOMP_RET_ALLOW);
    end_call(program, begin);
}

// Allowed if of the argument's bits in `mask` exactly those in `value` are set.
static void allow_masked(struct program *program, uint32_t call, unsigned argument, uint32_t mask,
                         uint32_t value)
{
    unsigned short begin = begin_call(program, call);
    load_argument(program, argument);
    emit(program, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask));
    answer_if_equal(program, value, SECCOMP_RET_ALLOW);
    end_call(program, begin);
}

static void write_program(struct program *program)
{
    load(program, offsetof(struct seccomp_data, arch));
    emit(program,
         (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
    refuse(program);
    load(program, offsetof(struct seccomp_data, nr));
    allow_ptrace(program); // first: for its sake the filter runs
    allow_masked(program, SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);
    allow_masked(program, SYS_clone, 0, CLONE_THREAD, CLONE_THREAD);
    allow_masked(program, SYS_tgkill, 0, ~0u, (uint32_t)getpid());
    allow_masked(program, SYS_prlimit64, 0, ~0u, 0); // of ourselves
    answer_if_equal(program, SYS_clone3, SECCOMP_RET_ERRNO | ENOSYS); // glibc takes clone then
    for (size_t i = 0; i < ARRAY_LENGTH(free_calls); i++)
        answer_if_equal(program, free_calls[i], SECCOMP_RET_ALLOW);
    refuse(program);
}

static bool filter_calls(void)
{
    struct program program = {.length = 0};
    write_program(&program);
    struct sock_fprog whole = {.len = program.length, .filter = program.code};
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &whole) == 0;
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

// What priority_raise asks for: the lowest real-time priority, or nice -20.
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
