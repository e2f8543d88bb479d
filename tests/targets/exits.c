// SPDX-License-Identifier: MIT
// exits MILLISECONDS STATUS: spins for so long, then exits.
#include "target.h"

static void before_exit(int64_t until)
{
    while (clock_ns(CLOCK_MONOTONIC) < until)
        burn();
}

int main(int argc, char **argv)
{
    ready();
    before_exit(clock_ns(CLOCK_MONOTONIC) + (argc > 1 ? atol(argv[1]) : 1000) * MS);
    return argc > 2 ? atoi(argv[2]) : 0;
}
