// SPDX-License-Identifier: MIT
// A thread whose getppid() a supervisor answers (seccomp's user notification). The supervisor
// counts what it was asked: the side effect that must not come twice. SIGTERM: prints both counts.
#include "target.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

static int listener = -1;
static long asked, done, wrong;

static void *ask(void *unused)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof code / sizeof code[0], .filter = code};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
                          &program);
    __atomic_store_n(&listener, fd < 0 ? -2 : fd, __ATOMIC_SEQ_CST);
    while (fd >= 0) {
        wrong += syscall(SYS_getppid) != 4242;
        __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
        for (int i = 0; i < 10; i++)
            burn();
    }
    return unused;
}

static void *answer(void *unused)
{
    for (;;) {
        struct seccomp_notif request = {0};
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0)
            continue;
        asked++;
        struct seccomp_notif_resp response = {.id = request.id, .val = 4242};
        ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response);
    }
    return unused;
}

int main(void)
{
    block_signals();
    start(ask, NULL, "asks");
    while (__atomic_load_n(&listener, __ATOMIC_SEQ_CST) == -1)
        sleep_ns(MS);
    if (listener == -2) {
        puts("no listener");
        ready();
        return 0;
    }
    start(answer, NULL, "answers");
    ready();
    await_signal();
    printf("{\"asked\": %ld, \"done\": %ld, \"wrong\": %ld}\n", asked,
           __atomic_load_n(&done, __ATOMIC_SEQ_CST), wrong);
    return 0;
}
