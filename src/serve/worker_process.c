// SPDX-License-Identifier: MIT
#include "serve/worker_process.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/limits.h"

static bool is_kept(int fd, int channel, const int *kept)
{
    if (fd <= STDERR_FILENO || fd == channel)
        return true;
    for (; kept && *kept >= 0; kept++)
        if (*kept == fd)
            return true;
    return false;
}

// Listening sockets and the channels of others are not for this process.
static void close_others(int channel, const int *kept)
{
    int last = channel;
    for (const int *fd = kept; fd && *fd >= 0; fd++)
        last = *fd > last ? *fd : last;
    for (int fd = STDERR_FILENO + 1; fd < last; fd++)
        if (!is_kept(fd, channel, kept))
            close(fd);
    syscall(SYS_close_range, (unsigned)last + 1, ~0u, 0u);
}

static void begin(const char *name, pid_t parent)
{
    sigset_t none;
    prctl(PR_SET_NAME, name);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(EXIT_FAILURE);
    signal(SIGINT, SIG_IGN); // the collector is told, and ends this one
    signal(SIGTSTP, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGUSR1, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

enum rc worker_process_start(struct worker_process *worker, const char *name, const int *kept,
                             void (*serve)(int, const void *), const void *context,
                             struct err *err)
{
    int ends[2];
    pid_t parent = getpid();
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
        return limits_sys(err, RC_LIMIT, errno, "cannot start a process");
    pid_t pid = fork();
    if (pid == 0) {
        begin(name, parent);
        close_others(ends[1], kept);
        serve(ends[1], context);
        _exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    if (pid < 0) {
        close(ends[0]);
        return limits_sys(err, RC_LIMIT, errno, "cannot start a process");
    }
    *worker = (struct worker_process){.pid = pid, .channel = ends[0]};
    return RC_OK;
}

void worker_process_close(struct worker_process *worker)
{
    if (worker->pid)
        close(worker->channel);
    *worker = (struct worker_process){0};
}
