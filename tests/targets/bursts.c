// SPDX-License-Identifier: MIT
// Every CPU is kept busy by a spinning thread, and a thread "bursts" runs burst_c() for 1 ms and
// then burst_d() for 1 ms every 10 ms. A sampler that comes late sees only the ends of such bursts.
// The truth is what the thread measures with its own CPU clock.
#include "target.h"

static int64_t in_c, in_d, rounds;

DISTINCT static void burst_c(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

DISTINCT static void burst_d(int64_t until)
{
    while (thread_cpu() < until)
        burn();
}

static void *bursts(void *unused)
{
    (void)unused;
    for (int64_t next = clock_ns(CLOCK_MONOTONIC);; next += 10 * MS) {
        sleep_until(next);
        int64_t begin = thread_cpu();
        burst_c(begin + MS);
        int64_t middle = thread_cpu();
        burst_d(middle + MS);
        int64_t end = thread_cpu();
        in_c += middle - begin;
        in_d += end - middle;
        rounds++;
    }
    return NULL;
}

static void *always_runs(void *unused)
{
    (void)unused;
    for (;;)
        burn();
    return NULL;
}

int main(void)
{
    block_signals();
    for (long cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++)
        start(always_runs, NULL, "spinner");
    start(bursts, NULL, "bursts");
    ready();
    await_signal();
    printf("{\"burst_c\": %lld, \"burst_d\": %lld, \"rounds\": %lld}\n", (long long)in_c,
           (long long)in_d, (long long)rounds);
    return 0;
}
