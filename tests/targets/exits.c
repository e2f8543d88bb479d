// SPDX-License-Identifier: MIT
// exits MILLISECONDS|told STATUS [--cpu]: spins for so long, until it has used so much CPU time, or
// until SIGUSR1, then exits.
#include "target.h"

static void before_exit(clockid_t clock, int64_t end)
{
    while (!told && clock_ns(clock) < end)
        burn();
}

int main(int argc, char **argv)
{
    const char *length = argc > 1 ? argv[1] : "1000";
    bool cpu = option(argv, "--cpu");
    clockid_t clock = cpu ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    int64_t end = cpu ? clock_ns(clock) + atol(length) * MS : end_of(length);
    ready();
    before_exit(clock, end);
    return argc > 2 ? atoi(argv[2]) : 0;
}
