// SPDX-License-Identifier: MIT
// One thread, 70 % of its CPU time in heavy() and 30 % in light(); `split 50` makes it 50 and 50.
// It measures itself and always runs what is behind, so that the split is exact at any time.
// --undumpable: a process that only a privileged user may look into.
#include "target.h"

#include <sys/prctl.h>

DISTINCT static void heavy(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

DISTINCT static void light(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

static int64_t timed(void (*run)(int64_t until))
{
    int64_t begin = thread_cpu();
    run(begin + MS);
    return thread_cpu() - begin;
}

int main(int argc, char **argv)
{
    long percent = argc > 1 && argv[1][0] != '-' ? atol(argv[1]) : 70;
    if (option(argv, "--undumpable"))
        prctl(PR_SET_DUMPABLE, 0);
    start_clock_log(argv);
    ready();
    for (int64_t in_heavy = 0, in_light = 0;;) {
        if (in_heavy * (100 - percent) <= in_light * percent)
            in_heavy += timed(heavy);
        else
            in_light += timed(light);
    }
}
