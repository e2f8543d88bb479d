// SPDX-License-Identifier: MIT
// states FILE [--busy N] [--naps N] [--late MS]
// busy threads spin; napping ones spin for 2 ms and sleep for 8 ms; --late starts five threads
// (named "late"), one after each so many ms, that sleep for ever. Every 20 ms the first thread
// appends what the kernel says of them to the file, one "CLOCK_REALTIME tid ns-on-a-CPU
// ns-in-the-queue" each: the truth of their states. A late thread has one line instead, of when it
// was started, with zeros.
#include "target.h"

#include <sys/syscall.h>

#define THREADS 64
#define LATE_THREADS 5

static pid_t tids[THREADS];
static int count;
static const char *path;

static void tell(int64_t at, pid_t tid, unsigned long long run, unsigned long long wait)
{
    static int fd = -1;
    if (fd < 0 && (fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) < 0)
        die(path);
    dprintf(fd, "%lld %d %llu %llu\n", (long long)at, tid, run, wait);
}

static void join_in(void)
{
    tids[__atomic_fetch_add(&count, 1, __ATOMIC_SEQ_CST)] = (pid_t)syscall(SYS_gettid);
}

static void *busy(void *unused)
{
    (void)unused;
    join_in();
    for (;;)
        burn();
}

static void *naps(void *unused)
{
    (void)unused;
    join_in();
    for (;;) {
        for (int64_t until = thread_cpu() + 2 * MS; thread_cpu() < until;)
            burn();
        sleep_ns(8 * MS);
    }
}

static void *late(void *birth)
{
    tell(*(int64_t *)birth, (pid_t)syscall(SYS_gettid), 0, 0);
    for (;;)
        pause();
}

static void log_thread(pid_t tid)
{
    char name[64], text[128];
    unsigned long long run, wait;
    snprintf(name, sizeof name, "/proc/self/task/%d/schedstat", tid);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    int64_t at = clock_ns(CLOCK_REALTIME);
    ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        die(name);
    text[length] = '\0';
    if (sscanf(text, "%llu %llu", &run, &wait) == 2)
        tell(at, tid, run, wait);
}

int main(int argc, char **argv)
{
    path = argc > 1 ? argv[1] : "/dev/null";
    long spinning = number(argv, "--busy", 0), napping = number(argv, "--naps", 0);
    for (long i = 0; i < spinning; i++)
        start(busy, NULL, "busy");
    for (long i = 0; i < napping; i++)
        start(naps, NULL, "naps");
    while (__atomic_load_n(&count, __ATOMIC_SEQ_CST) < spinning + napping)
        sleep_ns(MS);
    ready();
    int64_t every = number(argv, "--late", 0) * MS, next_late = clock_ns(CLOCK_MONOTONIC) + every;
    for (int64_t next = clock_ns(CLOCK_MONOTONIC);; next += 20 * MS) {
        sleep_until(next);
        for (int i = 0; i < count; i++)
            log_thread(tids[i]);
        if (!every || next < next_late)
            continue;
        next_late += every;
        static int64_t births[LATE_THREADS];
        static int born;
        if (born == LATE_THREADS)
            continue;
        births[born] = clock_ns(CLOCK_REALTIME);
        start(late, &births[born++], "late");
    }
}
