// SPDX-License-Identifier: MIT
// deny priority|ptrace|stops|perf COMMAND [ARGUMENT...]: runs the command under a seccomp filter
// that answers EPERM to the system calls by which a process raises its priority, or to those that
// look into another process, as containers do, or to ptrace alone, or to that of perf events.
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MOST_CALLS 3

static const struct {
    const char *name;
    unsigned calls[MOST_CALLS]; // ends in 0 (read, which is never denied)
} kinds[] = {
    {"priority", {SYS_sched_setattr, SYS_sched_setscheduler, SYS_setpriority}},
    {"ptrace", {SYS_ptrace, SYS_process_vm_readv}},
    {"stops", {SYS_ptrace}},
    {"perf", {SYS_perf_event_open}},
};

static void deny(unsigned call)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        perror("seccomp");
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
        if (strcmp(kinds[kind].name, argv[1]) == 0)
            for (size_t i = 0; i < MOST_CALLS && kinds[kind].calls[i]; i++)
                deny(kinds[kind].calls[i]);
    execvp(argv[2], argv + 2);
    perror(argv[2]);
    return 127;
}
