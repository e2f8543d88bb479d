// SPDX-License-Identifier: MIT
// naps [PERCENT]: the first thread is on a CPU in work() for that share of its time (30 unless
// given) and asleep in nap() for the rest, a third of that in rest(); two other threads never wake.
// It always does what is behind; what a nap takes longer than asked for counts as none.
#include "target.h"

DISTINCT static void work(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

DISTINCT static void nap(void)
{
    sleep_ns(4 * MS);
    __asm__ volatile("" ::: "memory"); // a frame of its own
}

DISTINCT static void rest(void)
{
    sleep_ns(2 * MS);
    __asm__ volatile("" ::: "memory");
}

static void *still(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

int main(int argc, char **argv)
{
    long percent = argc > 1 ? atol(argv[1]) : 30;
    start(still, NULL, "still");
    start(still, NULL, "still");
    ready();
    for (int64_t worked = 0, slept = 0;;) {
        if (worked * (100 - percent) <= slept * percent) {
            int64_t begin = thread_cpu();
            work(begin + MS);
            worked += thread_cpu() - begin;
            continue;
        }
        nap();
        rest();
        slept += 6 * MS;
    }
}
