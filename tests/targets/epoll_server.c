// SPDX-License-Identifier: MIT
// A server that sleeps in epoll_wait and is woken 1000 times a second by another process. It looks
// at the result as careless programs do: anything but one event is an error.
#include "target.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>

static int64_t wakeups, interrupted, odd;
static int event_fd;

static void *serve(void *unused)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, event_fd, &event) != 0)
        die("epoll");
    for (;;) {
        int count = epoll_wait(epoll, &event, 1, -1);
        eventfd_t value = 0;
        if (count == 1 && eventfd_read(event_fd, &value) == 0 && value > 0)
            wakeups++;
        else if (count < 0 && errno == EINTR)
            interrupted++;
        else
            odd++;
        for (int i = 0; i < 10; i++)
            burn();
    }
    return unused;
}

static void client(pid_t server)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != server)
        _exit(0);
    for (int64_t next = clock_ns(CLOCK_MONOTONIC);; next += MS) {
        sleep_until(next);
        eventfd_write(event_fd, 1);
    }
}

int main(void)
{
    block_signals();
    event_fd = eventfd(0, 0);
    pid_t self = getpid();
    pid_t child = fork();
    if (child == 0)
        client(self);
    start(serve, NULL, "server");
    ready();
    await_signal();
    kill(child, SIGKILL);
    printf("{\"wakeups\": %lld, \"eintr\": %lld, \"odd\": %lld}\n", (long long)wakeups,
           (long long)interrupted, (long long)odd);
    return 0;
}
