// SPDX-License-Identifier: MIT
// storm threads|forks|execs [N]: N spinning threads `steady` (1), and beside them what never stays:
// threads that end at once, children that run for 1 ms, or the whole program executing itself
// anew every 20 ms.
#include "target.h"

#include <sys/wait.h>

static void *steady(void *unused)
{
    for (;;)
        burn();
    return unused;
}

static void *nothing(void *unused)
{
    burn();
    return unused;
}

static void threads(void)
{
    pthread_t wave[8];
    for (;;) {
        for (int i = 0; i < 8; i++)
            wave[i] = start(nothing, NULL, NULL);
        for (int i = 0; i < 8; i++)
            pthread_join(wave[i], NULL);
    }
}

static void child_work(void)
{
    while (thread_cpu() < MS)
        burn();
    _exit(7);
}

// A child whose end is not what it should be (killed, traced) ends the storm.
static void forks(void)
{
    for (;;) {
        pid_t child = fork();
        if (child == 0)
            child_work();
        int status = 0;
        if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
            WEXITSTATUS(status) != 7)
            die("storm: child");
    }
}

static void execs(char **argv)
{
    sleep_ns(20 * MS);
    setenv("STORM_GOES_ON", "1", 1); // "ready" is printed once
    execv("/proc/self/exe", argv);
    die("execv");
}

int main(int argc, char **argv)
{
    const char *mode = argc > 1 ? argv[1] : "threads";
    for (int i = 0; i < (argc > 2 ? atoi(argv[2]) : 1); i++)
        start(steady, NULL, "steady");
    if (!getenv("STORM_GOES_ON"))
        ready();
    if (strcmp(mode, "threads") == 0)
        threads();
    if (strcmp(mode, "forks") == 0)
        forks();
    if (strcmp(mode, "execs") == 0)
        execs(argv);
    return 2;
}
