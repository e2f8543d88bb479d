// SPDX-License-Identifier: MIT
// execs MILLISECONDS|told main|thread PROGRAM [ARGUMENT...]: spins for so long, or until SIGUSR1
// tells it, then executes PROGRAM from its main thread or from another one.
#include "target.h"

static char **arguments;
static volatile sig_atomic_t waits;

static void be_told(int number)
{
    (void)number;
    waits = false;
}

static void before_exec(void)
{
    for (int64_t until = clock_ns(CLOCK_MONOTONIC) + atol(arguments[1]) * MS;
         waits || clock_ns(CLOCK_MONOTONIC) < until;)
        burn();
}

static void *run(void *unused)
{
    before_exec();
    execv(arguments[3], arguments + 3);
    die(arguments[3]);
    return unused;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    arguments = argv;
    waits = strcmp(argv[1], "told") == 0;
    signal(SIGUSR1, be_told);
    ready();
    if (strcmp(argv[2], "thread") == 0)
        pthread_join(start(run, NULL, "not-leader"), NULL);
    run(NULL);
}
