// SPDX-License-Identifier: MIT
// What a process that touches targets can do no more, tried from inside of it.
#include "sample/privilege.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOOKING ((1ull << 19) | (1ull << 2)) // CAP_SYS_PTRACE, CAP_DAC_READ_SEARCH
#define NICE (1ull << 23)

static unsigned long long field(const char *name, int base)
{
    char line[256];
    unsigned long long value = ~0ull;
    FILE *file = fopen("/proc/self/status", "re");
    ck_assert_ptr_nonnull(file);
    while (fgets(line, sizeof line, file))
        if (strncmp(line, name, strlen(name)) == 0 && line[strlen(name)] == ':')
            value = strtoull(line + strlen(name) + 1, NULL, base);
    fclose(file);
    return value;
}

#define REFUSED(call)                                                                              \
    do {                                                                                           \
        errno = 0;                                                                                 \
        ck_assert_int_eq((int)(call), -1);                                                         \
        ck_assert_int_eq(errno, EPERM);                                                            \
    } while (0)

START_TEST(capabilities)
{
    ck_assert(privilege_reduce());
    ck_assert_uint_eq(field("CapPrm", 16) & ~(LOOKING | NICE), 0);
    ck_assert_uint_eq(field("CapEff", 16) & ~(LOOKING | NICE), 0);
    privilege_drop_nice();
    ck_assert_uint_eq(field("CapPrm", 16) & ~LOOKING, 0);
    ck_assert_uint_eq(field("NoNewPrivs", 10), 1);
    ck_assert_uint_eq(field("Seccomp", 10), 2);
}
END_TEST

START_TEST(nothing_is_begun_or_written)
{
    char *const words[] = {"true", NULL};
    int old = open("/dev/null", O_RDONLY);
    ck_assert(privilege_reduce());
    REFUSED(execv("/bin/true", words));
    REFUSED(fork());
    REFUSED(syscall(SYS_vfork));
    REFUSED(open("/dev/null", O_WRONLY));
    REFUSED(open("/tmp/ptprof-never", O_RDONLY | O_CREAT, 0600));
    REFUSED(socket(AF_UNIX, SOCK_STREAM, 0));
    REFUSED(kill(getppid(), 0));
    REFUSED(syscall(SYS_tgkill, getppid(), getppid(), 0));
    REFUSED(unlink("/tmp/ptprof-never"));
    struct rlimit limit = {0, 0};
    REFUSED(syscall(SYS_prlimit64, getppid(), RLIMIT_CORE, NULL, &limit));
    int file = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_ge(old, 0);
    close(file);
}
END_TEST

// A child that waits to be looked at.
static pid_t target(void)
{
    pid_t pid = fork();
    if (!pid)
        for (;;)
            pause();
    return pid;
}

START_TEST(a_target_is_read_and_not_written)
{
    static long word = 42;
    long copy = 0;
    pid_t pid = target();
    struct iovec here = {&copy, sizeof copy}, there = {&word, sizeof word};
    struct user_regs_struct regs;
    struct iovec area = {&regs, sizeof regs};
    siginfo_t info;
    ck_assert(privilege_reduce());
    ck_assert_int_eq(process_vm_readv(pid, &here, 1, &there, 1, 0), sizeof copy);
    ck_assert_int_eq(copy, 42);
    REFUSED(process_vm_writev(pid, &here, 1, &there, 1, 0));
    ck_assert_int_eq(ptrace(PTRACE_SEIZE, pid, NULL, NULL), 0);
    ck_assert_int_eq(ptrace(PTRACE_INTERRUPT, pid, NULL, NULL), 0);
    ck_assert_int_eq(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT | __WALL), 0);
    ck_assert_int_eq(ptrace(PTRACE_GETREGSET, pid, 1, &area), 0);
    REFUSED(ptrace(PTRACE_POKEDATA, pid, &word, 43L));
    REFUSED(ptrace(PTRACE_POKETEXT, pid, &word, 43L));
    REFUSED(ptrace(PTRACE_SETREGSET, pid, 1, &area));
    REFUSED(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rip), regs.rip));
    REFUSED(ptrace(PTRACE_CONT, pid, NULL, SIGKILL));
    ck_assert_int_eq(ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), regs.rax), 0);
    ck_assert_int_eq(ptrace(PTRACE_DETACH, pid, NULL, NULL), 0);
}
END_TEST

static void *run_thread(void *argument)
{
    cpu_set_t cpus;
    ck_assert_int_eq(sched_getaffinity(0, sizeof cpus, &cpus), 0);
    ck_assert_int_eq(sched_setaffinity(0, sizeof cpus, &cpus), 0);
    *(unsigned long long *)argument = field("Seccomp", 10);
    return NULL;
}

START_TEST(threads_begin_and_inherit)
{
    pthread_t thread;
    unsigned long long mode = 0;
    ck_assert(privilege_reduce());
    ck_assert_int_eq(pthread_create(&thread, NULL, run_thread, &mode), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(mode, 2);
}
END_TEST

Suite *suite_privilege(void)
{
    Suite *suite = suite_create("privilege");
    TCase *cases = tcase_create("privilege");
    tcase_add_test(cases, capabilities);
    tcase_add_test(cases, nothing_is_begun_or_written);
    tcase_add_test(cases, a_target_is_read_and_not_written);
    tcase_add_test(cases, threads_begin_and_inherit);
    suite_add_tcase(suite, cases);
    return suite;
}
