// SPDX-License-Identifier: MIT
// What threads measure of themselves while they wait or hold something, and a log of it: a line
// each 20 ms, CLOCK_REALTIME and then three numbers of each meter: ns and how often, of what has
// ended, and for how long (ns) the one goes on that has not. Of that nobody knows yet how much was
// waiting, and how much the queue for a CPU that follows it on a busy machine.
#pragma once

#include "target.h"

#include <sys/syscall.h>

#define MOST_METERS 32

struct meter {
    const char *name;
    enum {
        METER_WAIT, // the time counts that the thread was on no CPU and in no queue
        METER_TIME, // all of the time
        METER_CPU,  // that on a CPU
    } of;
    pid_t tid;         // of the thread whose meter it is
    int schedstat;     // its schedstat, open
    uint64_t turn;     // odd: the members below change
    struct moment { // CLOCK_MONOTONIC, and what the thread has been on a CPU and in the queue
        int64_t time, cpu, queued;
    } begun; // time 0: it does not measure
    int64_t ns, times; // of what has ended
};

static struct meter *meters[MOST_METERS];
static size_t meter_count;

static inline int64_t queue_ns(const struct meter *meter)
{
    char text[96];
    ssize_t length = pread(meter->schedstat, text, sizeof text - 1, 0);
    text[length > 0 ? length : 0] = '\0';
    long long ran = 0, queued = 0;
    sscanf(text, "%lld %lld", &ran, &queued);
    return queued;
}

static inline struct moment moment_of(const struct meter *meter)
{
    struct moment now;
    do {
        now.queued = queue_ns(meter);
        now.cpu = thread_cpu();
        now.time = clock_ns(CLOCK_MONOTONIC);
    } while (queue_ns(meter) != now.queued); // it was preempted in between
    return now;
}

// The calling thread's, which is told once.
static inline void meter_own(struct meter *meter)
{
    meter->tid = (pid_t)syscall(SYS_gettid);
    meter->schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);
    if (meter->schedstat < 0)
        die("schedstat");
    size_t at = __atomic_fetch_add(&meter_count, 1, __ATOMIC_SEQ_CST);
    if (at >= MOST_METERS)
        abort();
    __atomic_store_n(&meters[at], meter, __ATOMIC_SEQ_CST);
}

static inline void meter_begin(struct meter *meter)
{
    struct moment now = moment_of(meter);
    __atomic_fetch_add(&meter->turn, 1, __ATOMIC_SEQ_CST);
    meter->begun = now;
    __atomic_fetch_add(&meter->turn, 1, __ATOMIC_SEQ_CST);
}

static inline void meter_end(struct meter *meter)
{
    struct moment now = moment_of(meter);
    int64_t cpu = now.cpu - meter->begun.cpu, ns = now.time - meter->begun.time;
    if (meter->of == METER_CPU)
        ns = cpu;
    else if (meter->of == METER_WAIT)
        ns -= cpu + now.queued - meter->begun.queued;
    __atomic_fetch_add(&meter->turn, 1, __ATOMIC_SEQ_CST);
    meter->ns += ns;
    meter->times++;
    meter->begun.time = 0;
    __atomic_fetch_add(&meter->turn, 1, __ATOMIC_SEQ_CST);
}

// Whether nothing changed meanwhile.
static inline bool read_meter(struct meter *meter, int64_t *ns, int64_t *times, int64_t *going)
{
    uint64_t turn = __atomic_load_n(&meter->turn, __ATOMIC_SEQ_CST);
    int64_t begun = __atomic_load_n(&meter->begun.time, __ATOMIC_SEQ_CST);
    bool counts = begun && meter->of != METER_CPU; // nobody else has the clock of its CPU time
    *ns = meter->ns;
    *times = meter->times;
    *going = counts ? clock_ns(CLOCK_MONOTONIC) - begun : 0;
    return turn % 2 == 0 && __atomic_load_n(&meter->turn, __ATOMIC_SEQ_CST) == turn;
}

static inline void log_meters_once(int fd)
{
    char line[64 * MOST_METERS];
    int64_t before, after;
    do { // all numbers of a line are of one moment: again if preempted in between
        before = clock_ns(CLOCK_REALTIME);
        int at = 0;
        for (size_t i = 0; i < meter_count; i++) {
            int64_t ns, times, going;
            while (!read_meter(meters[i], &ns, &times, &going))
                ;
            at += snprintf(line + at, sizeof line - (size_t)at, " %lld %lld %lld", (long long)ns,
                           (long long)times, (long long)going);
        }
        after = clock_ns(CLOCK_REALTIME);
    } while (after - before > MS);
    dprintf(fd, "%lld%s\n", (long long)((before + after) / 2), line);
}

static inline void *log_meters(void *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0)
        die(path);
    for (int64_t next = clock_ns(CLOCK_MONOTONIC);; next += 20 * MS) {
        sleep_until(next);
        log_meters_once(fd);
    }
    return NULL;
}

// Waits until so many threads have meters, then begins the log (--log FILE).
static inline void start_meter_log(char **argv, size_t count)
{
    for (size_t i = 0; i < count; i++)
        while (!__atomic_load_n(&meters[i], __ATOMIC_SEQ_CST))
            sleep_ns(MS);
    const char *path = option(argv, "--log");
    if (path)
        start(log_meters, (void *)path, "log");
}
