// SPDX-License-Identifier: MIT
// execs MILLISECONDS|told main|thread PROGRAM [ARGUMENT...]: spins for so long, or until SIGUSR1,
// then executes PROGRAM from its main thread or from another one.
#include "target.h"

static char **arguments;
static int64_t end;

static void before_exec(void)
{
    while (!is_over(end))
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
    end = end_of(argv[1]);
    ready();
    if (strcmp(argv[2], "thread") == 0)
        pthread_join(start(run, NULL, "not-leader"), NULL);
    run(NULL);
}
