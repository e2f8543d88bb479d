// SPDX-License-Identifier: MIT
// A server that is interrupted by genuine signals: SIGUSR2, which its mask lets through in
// epoll_pwait only, so that each one makes a call fail, and nothing else does. A thread sends the
// next one when the last was handled. SIGTERM: prints how many were sent, handled, and failed.
#include "target.h"

#include <errno.h>
#include <sys/epoll.h>

static volatile long handled;
static long sent, interrupted, odd;
static pthread_t server;

static void on_signal(int number)
{
    (void)number;
    handled++;
}

static void *serve(void *unused)
{
    struct epoll_event event;
    sigset_t inside = told_signals();
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        die("epoll_create1");
    for (;;) {
        int count = epoll_pwait(epoll, &event, 1, -1, &inside);
        if (count < 0 && errno == EINTR)
            __atomic_fetch_add(&interrupted, 1, __ATOMIC_SEQ_CST);
        else
            odd++;
        for (int i = 0; i < 20; i++)
            burn();
    }
    return unused;
}

static void *send(void *unused)
{
    for (;;) {
        sleep_ns(2 * MS);
        if (__atomic_load_n(&interrupted, __ATOMIC_SEQ_CST) == sent) {
            sent++;
            pthread_kill(server, SIGUSR2);
        }
    }
    return unused;
}

int main(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigset_t ours;
    block_signals();
    sigemptyset(&ours);
    sigaddset(&ours, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &ours, NULL);
    sigaction(SIGUSR2, &action, NULL);
    server = start(serve, NULL, "server");
    start(send, NULL, "sender");
    ready();
    await_signal();
    sleep_ns(100 * MS);
    printf("{\"sent\": %ld, \"handled\": %ld, \"eintr\": %ld, \"odd\": %ld}\n", sent, handled,
           interrupted, odd);
    return 0;
}
