// SPDX-License-Identifier: MIT
// threads [--busy N] [--sleeping N] [--still N] [--clock FILE]
// busy threads spin; sleeping ones run 100 us and sleep 50 ms; still ones never wake.
#include "target.h"

#define STACK_BYTES (64 * 1024)

static void *busy(void *unused)
{
    (void)unused;
    for (;;)
        burn();
    return NULL;
}

static void *sleeping(void *index)
{
    sleep_ns((intptr_t)index % 50 * MS); // so that they do not wake in step
    for (;;) {
        for (int64_t until = thread_cpu() + 100 * US; thread_cpu() < until;)
            burn();
        sleep_ns(50 * MS);
    }
    return NULL;
}

static void *still(void *unused)
{
    (void)unused;
    for (;;)
        pause();
    return NULL;
}

static void start_many(long count, void *(*run)(void *), const char *name)
{
    pthread_attr_t small;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    for (intptr_t i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &small, run, (void *)i) != 0)
            die("pthread_create");
        pthread_setname_np(thread, name);
    }
}

int main(int argc, char **argv)
{
    (void)argc;
    start_clock_log(argv);
    start_many(number(argv, "--still", 0), still, "still");
    start_many(number(argv, "--sleeping", 0), sleeping, "sleeping");
    start_many(number(argv, "--busy", 0), busy, "busy");
    ready();
    for (;;)
        pause();
}
