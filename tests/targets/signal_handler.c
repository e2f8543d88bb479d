// SPDX-License-Identifier: MIT
// interrupted() spins and is interrupted every 20 ms of CPU time; the handler spins for 10. Half
// of all stacks go through the frame that the kernel pushed.
#include "target.h"

#include <sys/time.h>

static volatile uint64_t sink;

static void in_handler(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

static void handler(int number)
{
    in_handler(thread_cpu() + 10 * MS);
    sink = (uint64_t)number;
}

static void interrupted(void)
{
    for (;;)
        burn();
}

int main(void)
{
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    struct itimerval every = {.it_interval.tv_usec = 20000, .it_value.tv_usec = 20000};
    sigaction(SIGPROF, &action, NULL);
    setitimer(ITIMER_PROF, &every, NULL);
    ready();
    interrupted();
}
