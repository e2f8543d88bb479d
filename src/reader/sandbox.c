// SPDX-License-Identifier: MIT
#include "reader/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/call_filter.h"
#include "base/mem.h"
#include "process/machine.h"

#define NOBODY 65534

static int (*opener)(const char *path);

static void limit(__rlimit_resource_t resource, rlim_t value)
{
    struct rlimit old, new = {value, value};
    if (getrlimit(resource, &old) == 0 && old.rlim_max < value)
        new.rlim_cur = new.rlim_max = old.rlim_max;
    setrlimit(resource, &new);
}

static void set_limits(const struct sandbox_needs *needs)
{
    limit(RLIMIT_CPU, needs->cpu_seconds);
    limit(RLIMIT_NOFILE, needs->files);
    limit(RLIMIT_FSIZE, needs->file_size);
    limit(RLIMIT_CORE, 0);
}

// Returns false when root cannot become another user: in a container that has no other ids, or
// without the capability to change ids.
static bool become_nobody(void)
{
    return geteuid() != 0 || (setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
                              setresuid(NOBODY, NOBODY, NOBODY) == 0);
}

static bool drop_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};
    return syscall(SYS_capset, &header, none) == 0 &&
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

// This process must not write memory that it shares with the sampler. Private memory is harmless.
static bool unmap_shared(const void *but)
{
    AUTO_FILE FILE *maps = fopen("/proc/self/maps", "re");
    char line[4096 + 128];
    bool done = maps;
    while (maps && fgets(line, sizeof line, maps)) {
        uint64_t start, end;
        char mode[5];
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", &start, &end, mode) == 3 &&
            mode[1] == 'w' && mode[3] == 's' && start != (uintptr_t)but)
            done &= munmap((void *)(uintptr_t)start, end - start) == 0;
    }
    return done;
}

static void close_others(int keep)
{
    if (keep > 0)
        syscall(SYS_close_range, 0u, (unsigned)keep - 1, 0u);
    syscall(SYS_close_range, (unsigned)keep + 1, ~0u, 0u);
}

// Handles SIGSYS, which seccomp raises for openat: libdw opens the files of split DWARF by itself,
// and this asks the main process for them.
static void broker(int number, siginfo_t *info, void *context)
{
    ucontext_t *user = context;
    (void)number;
    context_return(user, -EACCES);
    if (info->si_syscall != SYS_openat || (context_argument(user, 2) & O_ACCMODE) != O_RDONLY)
        return;
    int saved = errno;
    int fd = !opener ? -1 : opener((const char *)(uintptr_t)context_argument(user, 1));
    errno = saved;
    context_return(user, fd >= 0 ? fd : -ENOENT);
}

static void reset_signals(void)
{
    // What terminals and service managers send to all is for the main process, which ends this one.
    static const int for_main[] = {SIGINT, SIGTSTP, SIGHUP, SIGUSR1, SIGUSR2};
    struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction ours = {.sa_sigaction = broker, .sa_flags = SA_SIGINFO | SA_NODEFER};
    sigset_t none;
    for (int number = 1; number < SIGRTMIN; number++)
        sigaction(number, &usual, NULL);
    sigaction(SIGSYS, &ours, NULL);
    usual.sa_handler = SIG_IGN;
    for (size_t i = 0; i < ARRAY_LENGTH(for_main); i++)
        sigaction(for_main[i], &usual, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

// Allows the system calls that parsing needs: memory, the socket, files that are open. openat
// raises SIGSYS (see broker); all others fail.
static bool filter_calls(const struct sandbox_needs *needs)
{
    static const unsigned allowed[] = {
        SYS_read,   SYS_pread64, SYS_lseek,   SYS_fstat,   SYS_newfstatat, SYS_close,
        SYS_mmap,   SYS_munmap,  SYS_mremap,  SYS_mprotect, SYS_madvise,   SYS_brk,
        SYS_futex,  SYS_sendmsg, SYS_recvmsg, SYS_rt_sigreturn, SYS_rt_sigprocmask,
        SYS_exit,   SYS_exit_group, SYS_clock_gettime, SYS_getrandom,
    };
    struct call_filter filter;
    call_filter_begin(&filter, MACHINE_AUDIT, SECCOMP_RET_KILL_PROCESS);
    for (size_t i = 0; i < ARRAY_LENGTH(allowed); i++)
        call_filter_answer_if(&filter, allowed[i], SECCOMP_RET_ALLOW);
    for (size_t i = 0; i < needs->call_count; i++)
        call_filter_answer_if(&filter, needs->calls[i], SECCOMP_RET_ALLOW);
    call_filter_answer_if(&filter, SYS_openat, SECCOMP_RET_TRAP);
    call_filter_answer(&filter, SECCOMP_RET_ERRNO | EPERM);
    return call_filter_install(&filter);
}

bool sandbox_enter(const struct sandbox_needs *needs)
{
    opener = needs->open;
    reset_signals();
    bool alone = unmap_shared(needs->memory);
    if (needs->descriptor >= 0)
        close_others(needs->descriptor);
    set_limits(needs);
    bool nobody = become_nobody();
    if (!alone || !drop_capabilities())
        return false;
    // On a kernel without seccomp, limits and an unprivileged user are still a useful protection.
    // But a process of root, even without capabilities, could open the files of root.
    return filter_calls(needs) || (nobody && (errno == EINVAL || errno == ENOSYS));
}
