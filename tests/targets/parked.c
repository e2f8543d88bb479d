// SPDX-License-Identifier: MIT
// parked [--threads N] [--depth N] [--spin N] [--exit-after MS]
// N threads that sleep for ever, each so many frames deep, in turn in a futex, a read of a pipe and
// a nanosleep; and N that spin. A call that returns is counted. Prints {"futex": tid, "read": tid,
// "sleep": tid, "spin": tid} (one thread of each kind, 0: none) and "ready". SIGTERM: prints
// {"returned": how often a sleeping call came back}. --exit-after: ends by itself.
#include "target.h"

#include <linux/futex.h>
#include <sys/syscall.h>

#define STACK_BYTES (64 * 1024)
#define LIBRARY_FRAMES 4 // the call, sleep_here or its like, and two that start the thread

enum kind { FUTEX, READ, SLEEP, SPIN, KINDS };

static pid_t tids[KINDS];
static long started, returned, depth;
static int word, pipes[2];

static DISTINCT void wait_futex(void)
{
    for (;;) {
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
        __atomic_fetch_add(&returned, 1, __ATOMIC_SEQ_CST);
    }
}

static DISTINCT void wait_read(void)
{
    char byte;
    for (;;) {
        if (read(pipes[0], &byte, 1) <= 1)
            __atomic_fetch_add(&returned, 1, __ATOMIC_SEQ_CST);
    }
}

static DISTINCT void wait_sleep(void)
{
    struct timespec day = {86400, 0};
    for (;;) {
        nanosleep(&day, NULL);
        __atomic_fetch_add(&returned, 1, __ATOMIC_SEQ_CST);
    }
}

static DISTINCT void spin(void)
{
    for (;;)
        burn();
}

static void (*const waits[])(void) = {wait_futex, wait_read, wait_sleep, spin};

static DISTINCT void descend(enum kind kind, long left)
{
    if (left <= 0)
        waits[kind]();
    else
        descend(kind, left - 1);
    __asm__ volatile("" ::: "memory"); // no tail call
}

static void *park(void *argument)
{
    enum kind kind = (enum kind)(intptr_t)argument;
    tids[kind] = (pid_t)syscall(SYS_gettid);
    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
    descend(kind, depth);
    return NULL;
}

static void start_small(enum kind kind)
{
    static const char *const names[] = {"futex", "read", "sleep", "spin"};
    pthread_attr_t small;
    pthread_t thread;
    pthread_attr_init(&small);
    pthread_attr_setstacksize(&small, STACK_BYTES);
    if (pthread_create(&thread, &small, park, (void *)(intptr_t)kind) != 0)
        die("pthread_create");
    pthread_setname_np(thread, names[kind]);
}

int main(int argc, char **argv)
{
    (void)argc;
    block_signals();
    long count = number(argv, "--threads", 3), spinning = number(argv, "--spin", 0);
    long exit_after = number(argv, "--exit-after", 0);
    depth = number(argv, "--depth", 12) - LIBRARY_FRAMES - 2; // park and the first descend
    if (pipe(pipes) != 0)
        die("pipe");
    for (long i = 0; i < count; i++)
        start_small((enum kind)(i % SPIN));
    for (long i = 0; i < spinning; i++)
        start_small(SPIN);
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < count + spinning)
        sleep_ns(MS);
    sleep_ns(100 * MS); // every thread is in its call by now
    printf("{\"futex\": %d, \"read\": %d, \"sleep\": %d, \"spin\": %d}\n", tids[FUTEX], tids[READ],
           tids[SLEEP], tids[SPIN]);
    ready();
    if (exit_after) {
        sleep_ns(exit_after * MS);
        _exit(0);
    }
    await_signal();
    printf("{\"returned\": %ld}\n", returned);
    return 0;
}
