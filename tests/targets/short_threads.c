// SPDX-License-Identifier: MIT
// Threads that live for 5 ms of CPU time each, two at a time, one after the other for ever.
#include "target.h"

static void *short_life(void *unused)
{
    (void)unused;
    while (thread_cpu() < 5 * MS)
        burn();
    return NULL;
}

static void *lives(void *unused)
{
    (void)unused;
    for (;;)
        pthread_join(start(short_life, NULL, NULL), NULL);
    return NULL;
}

int main(int argc, char **argv)
{
    (void)argc;
    start_clock_log(argv);
    start(lives, NULL, "parent");
    ready();
    lives(NULL);
}
