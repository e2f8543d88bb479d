// SPDX-License-Identifier: MIT
// A poll loop under a seccomp filter that kills on restart_syscall, by which the kernel goes on
// with a poll that was stopped. Being alive is the truth; SIGTERM asks for the number of polls.
#include "target.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int64_t polls, changed;

static void install_filter(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_restart_syscall, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        die("seccomp");
}

static void *poll_loop(void *unused)
{
    for (;;) {
        for (int i = 0; i < 20; i++)
            burn();
        if (poll(NULL, 0, 1) != 0)
            changed++;
        polls++;
    }
    return unused;
}

int main(void)
{
    block_signals();
    install_filter();
    for (int i = 0; i < 4; i++)
        start(poll_loop, NULL, "poll");
    ready();
    await_signal();
    printf("{\"polls\": %lld, \"changed\": %lld}\n", (long long)polls, (long long)changed);
    return 0;
}
