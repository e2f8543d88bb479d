// SPDX-License-Identifier: MIT
// A program whose threads wait for each other. Four workers put lines into a queue and hold its
// lock for 0.2 ms of CPU time each; a fifth thread writes the queue to disk, and holds the same
// lock for 40 ms while the disk works (it sleeps). All rest for 5 ms between, so the workers spend
// their time on waiting for a thread that no CPU profile shows.
//
// contention [--deadlock] [SECONDS]: runs for so long, or until SIGTERM or Ctrl-C, and then says
// how long its threads waited for the lock and who held it meanwhile. --deadlock: two more threads
// take two locks in different orders, and wait for ever.
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, optimize("no-optimize-sibling-calls")))
#define WORKERS 4
#define MS 1000000 // ns

static pthread_mutex_t queue_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int64_t waited, waited_for_disk; // ns, by all threads; the second is a part
static _Atomic int64_t written, writing_since;  // ns that the queue was written; 0: it is not

static int64_t now(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

#define REST(ns) nanosleep(&(struct timespec){.tv_nsec = (ns)}, NULL)

// Returns how long the lock has been held for writing, all in all.
static int64_t writing(int64_t time)
{
    int64_t since = writing_since;
    return written + (since ? time - since : 0);
}

NOINLINE static void lock_queue(void)
{
    int64_t begin = now(CLOCK_MONOTONIC), before = writing(begin), end;
    pthread_mutex_lock(&queue_lock);
    end = now(CLOCK_MONOTONIC);
    waited += end - begin;
    waited_for_disk += writing(end) - before;
}

NOINLINE static void add_line(void)
{
    lock_queue();
    for (volatile int i = 0; i < 200000; i++)
        ;
    pthread_mutex_unlock(&queue_lock);
}

NOINLINE static void write_queue_to_disk(void)
{
    lock_queue();
    writing_since = now(CLOCK_MONOTONIC);
    REST(40 * MS);
    written += now(CLOCK_MONOTONIC) - writing_since;
    writing_since = 0;
    pthread_mutex_unlock(&queue_lock);
}

static void *work(void *unused)
{
    for (;;) {
        add_line();
        REST(5 * MS);
    }
    return unused;
}

static void *flush(void *unused)
{
    for (;;) {
        write_queue_to_disk();
        REST(5 * MS);
    }
    return unused;
}

NOINLINE static void *transfer(void *reversed)
{
    pthread_mutex_t *from = reversed ? &second : &first, *to = reversed ? &first : &second;
    pthread_mutex_lock(from);
    REST(100 * MS);
    pthread_mutex_lock(to); // for ever
    return NULL;
}

static void start(void *(*run)(void *), void *argument, const char *name)
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, run, argument) != 0)
        exit(1);
    pthread_setname_np(thread, name);
}

int main(int argc, char **argv)
{
    bool deadlock = argc > 1 && strcmp(argv[1], "--deadlock") == 0;
    const char *seconds = argc > 1 + deadlock ? argv[1 + deadlock] : NULL;
    const struct timespec left = {.tv_sec = seconds ? atoi(seconds) : 0};
    sigset_t end;
    sigemptyset(&end);
    sigaddset(&end, SIGTERM);
    sigaddset(&end, SIGINT);
    sigprocmask(SIG_BLOCK, &end, NULL);
    for (int i = 0; i < WORKERS; i++)
        start(work, NULL, "worker");
    start(flush, NULL, "flusher");
    if (deadlock) {
        start(transfer, NULL, "there");
        start(transfer, "reversed", "back");
    }
    printf("contention runs as process %d.\n", (int)getpid());
    fflush(stdout);
    sigtimedwait(&end, NULL, seconds ? &left : NULL);
    printf("waited for queue_lock: %.1f s, %.1f %% of it while write_queue_to_disk held it\n",
           (double)waited / 1e9, 100.0 * (double)waited_for_disk / (double)waited);
    return 0;
}
