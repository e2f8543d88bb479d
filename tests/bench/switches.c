// SPDX-License-Identifier: MIT
// switches ROUNDS [WORK]: two threads on one CPU hand a byte to and fro by pipes, with some work in
// each turn: each round is two switches, and with 10 of work there are some 20,000 of them a
// second. Does so at each SIGUSR1 and prints how long it took, in ns.
#include <sched.h>

#include "target.h"

static int there[2], back[2];
static long rounds, work;

static void turn(int from, int to)
{
    char byte = 0;
    if (read(from, &byte, 1) != 1)
        die("read");
    for (int i = 0; i < work; i++)
        burn();
    if (write(to, &byte, 1) != 1)
        die("write");
}

static void *partner(void *unused)
{
    (void)unused;
    for (;;)
        turn(there[0], back[1]);
    return NULL;
}

static void hand_over(void)
{
    char byte = 0;
    if (write(there[1], &byte, 1) != 1)
        die("write");
    for (long i = 1; i < rounds; i++)
        turn(back[0], there[1]);
    if (read(back[0], &byte, 1) != 1)
        die("read");
}

static void pin(void)
{
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(sched_getcpu(), &cpus);
    sched_setaffinity(0, sizeof cpus, &cpus);
}

int main(int argc, char **argv)
{
    rounds = argc > 1 ? atol(argv[1]) : 1000;
    work = argc > 2 ? atol(argv[2]) : 10;
    if (pipe(there) != 0 || pipe(back) != 0)
        die("pipe");
    pin();
    block_signals();
    start(partner, NULL, "partner");
    ready();
    while (await_signal() == SIGUSR1) {
        int64_t began = clock_ns(CLOCK_MONOTONIC);
        hand_over();
        printf("%lld\n", (long long)(clock_ns(CLOCK_MONOTONIC) - began));
        fflush(stdout);
    }
}
