// SPDX-License-Identifier: MIT
#include "tui/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define PATIENCE_MS 200 // how long guard_dismiss waits for the guard to end

// Closes inherited descriptors: an open one would hide our end from whoever reads its other side.
static void close_others(int alarm, const int *kept, size_t kept_count)
{
    unsigned first = 0;
    for (;;) {
        unsigned next = (unsigned)alarm >= first ? (unsigned)alarm : UINT_MAX;
        for (size_t i = 0; i < kept_count; i++)
            if ((unsigned)kept[i] >= first && (unsigned)kept[i] < next)
                next = (unsigned)kept[i];
        if (next > first)
            close_range(first, next == UINT_MAX ? UINT_MAX : next - 1, 0);
        if (next == UINT_MAX)
            return;
        first = next + 1;
    }
}

static void watch(int alarm, void (*duty)(void))
{
    char dismissed;
    ssize_t count;
    prctl(PR_SET_NAME, "ptprof-guard");
    do
        count = read(alarm, &dismissed, 1);
    while (count < 0 && errno == EINTR);
    if (count == 0)
        duty();
    _exit(0);
}

struct guard guard_start(void (*duty)(void), const int *kept, size_t kept_count)
{
    int ends[2];
    sigset_t all, before;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return GUARD_NONE;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0) {
        setsid(); // signals to our process group do not reach it
        close_others(ends[0], kept, kept_count);
        watch(ends[0], duty);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(ends[0]);
    if (pid < 0) {
        close(ends[1]);
        return GUARD_NONE;
    }
    return (struct guard){ends[1], pid};
}

// Reaps the guard. If it were left to be reparented, it would stay a zombie wherever init does not
// wait, as in many containers. A guard that has been stopped is not waited for.
static void bury(pid_t pid)
{
    struct timespec moment = {.tv_nsec = NS_PER_MS};
    for (int i = 0; i < PATIENCE_MS && waitpid(pid, NULL, WNOHANG) == 0; i++)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
}

void guard_excuse(const struct guard *guard)
{
    ssize_t ignored = guard->alarm >= 0 ? write(guard->alarm, "", 1) : 0;
    (void)ignored;
}

void guard_dismiss(struct guard *guard)
{
    if (guard->alarm < 0)
        return;
    guard_excuse(guard);
    close(guard->alarm);
    bury(guard->pid);
    *guard = GUARD_NONE;
}
