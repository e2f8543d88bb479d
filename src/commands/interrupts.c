// SPDX-License-Identifier: MIT
#include "commands/interrupts.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/mem.h"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

static sigset_t ending_set(void)
{
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LENGTH(ending); i++)
        sigaddset(&set, ending[i]);
    return set;
}

int interrupts_open(void)
{
    sigset_t set = ending_set();
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTSTP);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int interrupts_next(int fd)
{
    struct signalfd_siginfo info;
    return read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : 0;
}

static void (*volatile on_kill)(void);

static void die(int number)
{
    on_kill();
    signal(number, SIG_DFL);
    raise(number); // delivered when this handler returns
}

void interrupts_let_kill(void (*abandon)(void))
{
    sigset_t set = ending_set();
    on_kill = abandon;
    for (size_t i = 0; i < ARRAY_LENGTH(ending); i++)
        signal(ending[i], die);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

void interrupts_suspend(void)
{
    raise(SIGSTOP);
}
