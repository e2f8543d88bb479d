// SPDX-License-Identifier: MIT
// gaps [--cpu N] [--stack BYTES] [--window MS]: a thread that reads the TSC without end and adds up
// the time in which it did not run, for each window of time. Gaps below 500 ns are memory and
// caches; above 200 us another program had its turn. So many bytes of its stack are in use.
// SIGUSR1: prints ns per second stolen in each window since the last signal, as a JSON list.
#include "target.h"

#include <sched.h>
#include <x86intrin.h>

#define LEAST_NS 500
#define MOST_NS (200 * US)
#define WINDOWS 65536u

static double ticks_per_ns;
static uint64_t window_ticks;
static uint64_t stolen[WINDOWS]; // TSC ticks, in turn
static _Atomic unsigned finished;

static void calibrate(void)
{
    int64_t time = clock_ns(CLOCK_MONOTONIC);
    uint64_t ticks = __rdtsc();
    sleep_ns(200 * MS);
    uint64_t passed = __rdtsc() - ticks;
    ticks_per_ns = (double)passed / (double)(clock_ns(CLOCK_MONOTONIC) - time);
}

static _Noreturn void watch(void)
{
    uint64_t least = (uint64_t)(LEAST_NS * ticks_per_ns), most = (uint64_t)(MOST_NS * ticks_per_ns);
    uint64_t last = __rdtsc(), end = last + window_ticks, sum = 0;
    for (;;) {
        uint64_t now = __rdtsc(), gap = now - last;
        if (gap > least && gap < most)
            sum += gap;
        last = now;
        if (now < end)
            continue;
        stolen[finished++ % WINDOWS] = sum;
        sum = 0;
        end = now + window_ticks;
    }
}

static void *spin(void *bytes)
{
    volatile unsigned char *stack = __builtin_alloca((size_t)bytes + 1);
    for (intptr_t i = 0; i <= (intptr_t)bytes; i++)
        stack[i] = 1;
    watch();
}

static void pin(pthread_t thread, long cpu)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (cpu >= 0 && pthread_setaffinity_np(thread, sizeof set, &set) != 0)
        die("pthread_setaffinity_np");
}

// The first window had begun before: left out.
static void print(unsigned from, unsigned to)
{
    printf("[");
    for (unsigned i = from + 1; i < to; i++)
        printf("%s%.0f", i > from + 1 ? ", " : "",
               (double)stolen[i % WINDOWS] / (double)window_ticks * S);
    printf("]\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    (void)argc;
    block_signals();
    calibrate();
    window_ticks = (uint64_t)((double)(number(argv, "--window", 100) * MS) * ticks_per_ns);
    void *stack = (void *)(intptr_t)number(argv, "--stack", 0);
    pin(start(spin, stack, "spin"), number(argv, "--cpu", -1));
    ready();
    for (unsigned from = 0; await_signal() != SIGTERM;) {
        unsigned to = finished;
        print(from, to);
        from = to;
    }
    return 0;
}
