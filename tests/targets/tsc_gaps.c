// SPDX-License-Identifier: MIT
// A thread that does nothing but read the TSC, so that it notices whenever it did not run.
// tsc_gaps [--threshold NS] [--cpu N] [--sleeping N]: gaps longer than the threshold (3000) are
// counted. Beside it so many threads sleep.
// SIGUSR1: prints the counts as a line of JSON (ns) and begins anew; SIGTERM: prints and ends.
#include "target.h"

#include <sched.h>
#include <x86intrin.h>

struct gaps {
    uint64_t count, total, longest; // TSC ticks
};

static struct gaps gaps;
static uint64_t threshold;          // TSC ticks
static volatile int reset_asked;

static double ticks_per_ns(void)
{
    int64_t time = clock_ns(CLOCK_MONOTONIC);
    uint64_t ticks = __rdtsc();
    sleep_ns(200 * MS);
    uint64_t ticks_passed = __rdtsc() - ticks;
    return (double)ticks_passed / (double)(clock_ns(CLOCK_MONOTONIC) - time);
}

static void note(uint64_t gap)
{
    gaps.count++;
    gaps.total += gap;
    if (gap > gaps.longest)
        gaps.longest = gap;
}

static void *spin(void *unused)
{
    uint64_t last = __rdtsc();
    for (;;) {
        uint64_t now = __rdtsc();
        if (now - last > threshold)
            note(now - last);
        last = now;
        if (reset_asked) {
            gaps = (struct gaps){0};
            reset_asked = 0;
        }
    }
    return unused;
}

static void *sleep_on(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static void pin(pthread_t thread, long cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (cpu >= 0 && pthread_setaffinity_np(thread, sizeof set, &set) != 0)
        die("pthread_setaffinity_np");
}

int main(int argc, char **argv)
{
    (void)argc;
    block_signals();
    double rate = ticks_per_ns();
    threshold = (uint64_t)((double)number(argv, "--threshold", 3000) * rate);
    for (long i = number(argv, "--sleeping", 0); i > 0; i--)
        start(sleep_on, NULL, "asleep");
    pin(start(spin, NULL, "spin"), number(argv, "--cpu", -1));
    int64_t since = clock_ns(CLOCK_MONOTONIC);
    ready();
    for (int told = 0; told != SIGTERM;) {
        told = await_signal();
        struct gaps seen = gaps;
        int64_t now = clock_ns(CLOCK_MONOTONIC);
        printf("{\"elapsed\": %lld, \"gaps\": %llu, \"stolen\": %.0f, \"longest\": %.0f}\n",
               (long long)(now - since), (unsigned long long)seen.count, (double)seen.total / rate,
               (double)seen.longest / rate);
        fflush(stdout);
        since = now;
        reset_asked = 1;
    }
    return 0;
}
