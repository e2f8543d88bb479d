// SPDX-License-Identifier: MIT
// turns FILE MS
// It runs even() for so many ms, then odd() for as long, and so on. Every 10 ms it appends
// "CLOCK_REALTIME ns-in-even ns-in-odd", of its own CPU clock, to the file.
#include "target.h"

static int64_t spent[2]; // in even, in odd
static int log_fd;

static void tell(void)
{
    dprintf(log_fd, "%lld %lld %lld\n", (long long)clock_ns(CLOCK_REALTIME), (long long)spent[0],
            (long long)spent[1]);
}

DISTINCT static void even(int64_t until)
{
    while (clock_ns(CLOCK_MONOTONIC) < until)
        burn();
}

DISTINCT static void odd(int64_t until)
{
    while (clock_ns(CLOCK_MONOTONIC) < until)
        burn();
}

static void run(int turn, int64_t until)
{
    int64_t before = thread_cpu();
    (turn ? odd : even)(until);
    spent[turn] += thread_cpu() - before;
}

int main(int argc, char **argv)
{
    if (argc < 3 || (log_fd = open(argv[1], O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) < 0)
        die("turns FILE MS");
    int64_t length = atoll(argv[2]) * MS, end = clock_ns(CLOCK_MONOTONIC);
    tell();
    ready();
    for (int turn = 0;; turn = !turn)
        for (end += length; clock_ns(CLOCK_MONOTONIC) < end; tell())
            run(turn, clock_ns(CLOCK_MONOTONIC) + 10 * MS);
}
