// SPDX-License-Identifier: MIT
// Has threads that started in two functions; with --leaderless its main thread has ended. When it
// is told to (SIGUSR1), several threads start others at once, from two functions in a known ratio,
// and one after the other in a chain, while processes are started too, which are no threads. Prints
// "done" when all of them have run, and at the end how many there were.
#include <spawn.h>
#include <stdatomic.h>
#include <sys/wait.h>

#include "target.h"

#define MAKERS_MOST 64

extern char **environ;

static long reds, blues, links, spawned; // of each maker; all together
static long pause_us; // of a maker between two threads
static bool stays;
static atomic_long made[3];
static pthread_barrier_t begin, end;

static DISTINCT void *old_hand(void *unused)
{
    for (;;)
        pause();
    return unused;
}

static DISTINCT void *night_watch(void *unused)
{
    for (;;)
        sleep(1000);
    return unused;
}

static void *short_life(void *unused)
{
    while (stays)
        pause();
    return unused;
}

static void make_one(long which)
{
    pthread_t thread = start(short_life, NULL, NULL);
    atomic_fetch_add(&made[which], 1);
    if (stays)
        pthread_detach(thread);
    else
        pthread_join(thread, NULL);
}

static DISTINCT void make_red(void)
{
    make_one(0);
    __asm__ volatile("");
}

static DISTINCT void make_blue(void)
{
    make_one(1);
    __asm__ volatile("");
}

static void *make(void *unused)
{
    pthread_barrier_wait(&begin);
    for (long red = 0, blue = 0; red < reds || blue < blues;) {
        if (red < reds && red * blues <= blue * reds) {
            make_red();
            red++;
        } else {
            make_blue();
            blue++;
        }
        if (pause_us)
            sleep_ns(pause_us * US);
    }
    pthread_barrier_wait(&end);
    return unused;
}

// Each thread starts the next one.
static void *link_of_chain(void *left)
{
    long more = (long)left - 1;
    if (more > 0) {
        pthread_t next = start(link_of_chain, (void *)more, "link");
        atomic_fetch_add(&made[2], 1);
        pthread_join(next, NULL);
    }
    return NULL;
}

static void spawn(void)
{
    char *words[] = {"true", NULL};
    pid_t child;
    if (posix_spawnp(&child, "true", NULL, NULL, words, environ) == 0)
        waitpid(child, NULL, 0);
    child = fork();
    if (child == 0)
        _exit(0);
    waitpid(child, NULL, 0);
}

static void run_once(void)
{
    pthread_barrier_wait(&begin);
    for (long i = 0; i < spawned; i++)
        spawn();
    link_of_chain((void *)(links + 1));
    pthread_barrier_wait(&end);
    puts("done");
    fflush(stdout);
}

// Does what it is told to until it is told to end.
static void *obey(void *unused)
{
    while (await_signal() == SIGUSR1)
        run_once();
    printf("{\"red\": %ld, \"blue\": %ld, \"link\": %ld}\n", made[0], made[1], made[2]);
    exit(0);
    return unused;
}

int main(int argc, char **argv)
{
    long makers = number(argv, "--makers", 2), old = number(argv, "--old", 3);
    (void)argc;
    block_signals();
    reds = number(argv, "--red", 30);
    blues = number(argv, "--blue", 10);
    links = number(argv, "--links", 5);
    spawned = number(argv, "--spawn", 3);
    pause_us = number(argv, "--pause", 200);
    stays = number(argv, "--stay", 0);
    pthread_barrier_init(&begin, NULL, (unsigned)makers + 1);
    pthread_barrier_init(&end, NULL, (unsigned)makers + 1);
    for (long i = 0; i < old; i++)
        start(old_hand, NULL, "old");
    for (long i = 0; i < number(argv, "--watch", 2); i++)
        start(night_watch, NULL, "watch");
    for (long i = 0; i < makers && i < MAKERS_MOST; i++)
        start(make, NULL, "maker");
    if (number(argv, "--leaderless", 0)) {
        start(obey, NULL, "obey");
        ready();
        pthread_exit(NULL);
    }
    ready();
    obey(NULL);
}
