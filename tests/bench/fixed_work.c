// SPDX-License-Identifier: MIT
// fixed_work [--busy N] [--sleeping N] [--ms N]: on each SIGUSR1 the busy threads do an amount of
// work that was found to take so long at the start, the same each time; prints how long it took.
#include "target.h"

static long rounds;
static pthread_barrier_t begin, end;

static void *busy(void *unused)
{
    (void)unused;
    for (;;) {
        pthread_barrier_wait(&begin);
        for (long i = 0; i < rounds; i++)
            burn();
        pthread_barrier_wait(&end);
    }
    return NULL;
}

static void *sleeping(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

static long rounds_in(int64_t ns)
{
    enum { TRIED = 2000 };
    int64_t start = clock_ns(CLOCK_MONOTONIC);
    for (int i = 0; i < TRIED; i++)
        burn();
    return ns * TRIED / (clock_ns(CLOCK_MONOTONIC) - start);
}

int main(int argc, char **argv)
{
    (void)argc;
    long workers = number(argv, "--busy", 2), sleepers = number(argv, "--sleeping", 0);
    block_signals();
    pthread_barrier_init(&begin, NULL, (unsigned)workers + 1);
    pthread_barrier_init(&end, NULL, (unsigned)workers + 1);
    rounds = rounds_in(number(argv, "--ms", 1000) * MS);
    for (long i = 0; i < sleepers; i++)
        start(sleeping, NULL, "sleeping");
    for (long i = 0; i < workers; i++)
        start(busy, NULL, "busy");
    ready();
    while (await_signal() != SIGTERM) {
        int64_t since = clock_ns(CLOCK_MONOTONIC);
        pthread_barrier_wait(&begin);
        pthread_barrier_wait(&end);
        printf("%lld\n", (long long)(clock_ns(CLOCK_MONOTONIC) - since));
        fflush(stdout);
    }
    return 0;
}
