// SPDX-License-Identifier: MIT
// reborn MILLISECONDS OTHER: works for so long, then executes OTHER, which executes this one again,
// and so on. Built twice at the same addresses: where one of them works, the other one has a
// function that is never called.
#include "target.h"

static int64_t until;

static void work(void)
{
    while (clock_ns(CLOCK_MONOTONIC) < until)
        burn();
}

#define FUNCTION(name)                                                                             \
    DISTINCT void name(void);                                                                      \
    DISTINCT void name(void)                                                                       \
    {                                                                                              \
        work();                                                                                    \
        __asm__ volatile("");                                                                      \
    }

#ifdef FIRST
FUNCTION(called_in_first)
FUNCTION(never_called_in_first)
#define CALLED called_in_first
#else
FUNCTION(never_called_in_second)
FUNCTION(called_in_second)
#define CALLED called_in_second
#endif

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (argc == 3)
        ready();
    until = clock_ns(CLOCK_MONOTONIC) + atol(argv[1]) * MS;
    CALLED();
    execl(argv[2], argv[2], argv[1], argv[0], "again", (char *)NULL);
    die(argv[2]);
}
