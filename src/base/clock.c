// SPDX-License-Identifier: MIT
#include "base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t clock_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t clock_thread(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

bool clock_is_fine(void)
{
    struct timespec step;
    return clock_getres(CLOCK_MONOTONIC, &step) == 0 && step.tv_sec == 0 &&
           step.tv_nsec < NS_PER_US;
}
