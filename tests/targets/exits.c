// SPDX-License-Identifier: MIT
// exits MILLISECONDS STATUS [--cpu]: spins for so long, or until it has used so much CPU time, then
// exits.
#include "target.h"

static void before_exit(clockid_t clock, int64_t until)
{
    while (clock_ns(clock) < until)
        burn();
}

int main(int argc, char **argv)
{
    clockid_t clock = option(argv, "--cpu") ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC;
    ready();
    before_exit(clock, clock_ns(clock) + (argc > 1 ? atol(argv[1]) : 1000) * MS);
    return argc > 2 ? atoi(argv[2]) : 0;
}
