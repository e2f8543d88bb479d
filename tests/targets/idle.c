// SPDX-License-Identifier: MIT
// Ten threads that are blocked, each in another system call, and never wake.
#include "target.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>

static int pipe_fds[2], socket_fds[2];

static void *in_nanosleep(void *unused)
{
    sleep_ns(100000 * S);
    return unused;
}

static void *in_condition(void *unused)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    for (;;)
        pthread_cond_wait(&condition, &mutex);
    return unused;
}

static void *in_read(void *unused)
{
    char byte;
    if (read(pipe_fds[0], &byte, 1) != 1)
        die("read");
    return unused;
}

static void *in_poll(void *unused)
{
    struct pollfd fd = {.fd = pipe_fds[0], .events = POLLIN};
    poll(&fd, 1, -1);
    return unused;
}

static void *in_select(void *unused)
{
    fd_set set;
    FD_ZERO(&set);
    FD_SET(pipe_fds[0], &set);
    select(pipe_fds[0] + 1, &set, NULL, NULL, NULL);
    return unused;
}

static void *in_epoll(void *unused)
{
    struct epoll_event event;
    epoll_wait(epoll_create1(0), &event, 1, -1);
    return unused;
}

static void *in_recv(void *unused)
{
    char byte;
    recv(socket_fds[0], &byte, 1, 0);
    return unused;
}

static void *in_eventfd(void *unused)
{
    eventfd_t value;
    eventfd_read(eventfd(0, 0), &value);
    return unused;
}

static void *in_pause(void *unused)
{
    pause();
    return unused;
}

int main(void)
{
    void *(*const calls[])(void *) = {in_nanosleep, in_condition, in_read,    in_poll, in_select,
                                      in_epoll,     in_recv,      in_eventfd, in_pause};
    if (pipe(pipe_fds) != 0 || socketpair(AF_UNIX, SOCK_DGRAM, 0, socket_fds) != 0)
        die("idle");
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        start(calls[i], NULL, "idle");
    ready();
    for (;;)
        pause();
}
