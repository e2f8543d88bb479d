// SPDX-License-Identifier: MIT
// Spins in a function of the vdso, which has no file.
#include "target.h"

static volatile int64_t sink;

static void asks_the_time(void)
{
    for (;;)
        sink = clock_ns(CLOCK_MONOTONIC);
}

int main(void)
{
    ready();
    asks_the_time();
}
