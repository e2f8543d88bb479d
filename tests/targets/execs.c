// SPDX-License-Identifier: MIT
// execs MILLISECONDS main|thread PROGRAM [ARGUMENT...]: spins for so long, then executes PROGRAM
// from its main thread or from another one.
#include "target.h"

static char **arguments;

static void before_exec(void)
{
    for (int64_t until = clock_ns(CLOCK_MONOTONIC) + atol(arguments[1]) * MS;
         clock_ns(CLOCK_MONOTONIC) < until;)
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
    ready();
    if (strcmp(argv[2], "thread") == 0)
        pthread_join(start(run, NULL, "not-leader"), NULL);
    run(NULL);
}
