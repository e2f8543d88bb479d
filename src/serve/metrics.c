// SPDX-License-Identifier: MIT
#include "serve/metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/memory_status.h"
#include "process/procfs.h"
#include "serve/metrics_pss.h"
#include "serve/metrics_threads.h"
#include "serve/proc_file.h"

#define FILE_BYTES 4096
#define LIMITS_EVERY 30 // readings: the limits of a process change seldom
#define CLOCK_OF(pid) ((clockid_t)(~(unsigned)(pid) << 3 | 2)) // the CPU clock of a process

const struct metric_row metric_rows[METRIC_COUNT] = {
#define X(name, key, metric, label, kind, unit, text)                                              \
    [METRIC_##name] = {key, metric, label, text, METRIC_IS_##kind, METRIC_IN_##unit},
    METRICS(X)
#undef X
};

struct metrics_reader {
    pid_t pid;
    uint64_t start_time; // clock ticks since boot; 0: not read yet
    struct proc_file stat, status, io;
    uint64_t readings;
    uint64_t descriptors_most;
    uint64_t cpu_ns;      // by its CPU clock when its threads were read last
    struct metrics_pss pss;
    struct metrics_threads threads;
};

static bool read_file(const struct metrics_reader *reader, struct proc_file *file,
                      const char *name, char *text)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)reader->pid, name);
    return file ? proc_file_read(file, path, text, FILE_BYTES)
                : proc_file_read_once(path, text, FILE_BYTES);
}

struct metrics_reader *metrics_reader_new(pid_t pid)
{
    struct metrics_reader *reader = xcalloc(1, sizeof *reader);
    reader->pid = reader->threads.pid = pid;
    reader->descriptors_most = METRIC_UNKNOWN;
    return reader;
}

void metrics_reader_free(struct metrics_reader *reader)
{
    if (!reader)
        return;
    proc_file_close(&reader->stat);
    proc_file_close(&reader->status);
    proc_file_close(&reader->io);
    metrics_threads_fini(&reader->threads);
    free(reader);
}

// --- one file each ---

static uint64_t of_ticks(unsigned long long ticks)
{
    static long per_second;
    per_second = per_second ? per_second : sysconf(_SC_CLK_TCK);
    return ticks * (NS_PER_S / (uint64_t)per_second);
}

// The file may be that of a later process of that pid.
static bool read_stat(struct metrics_reader *reader, uint64_t *values)
{
    char text[FILE_BYTES], state;
    unsigned long long minor, major, user, system, threads, start_time;
    bool is_there = read_file(reader, &reader->stat, "stat", text);
    const char *at = is_there ? strrchr(text, ')') : NULL;
    if (!at || sscanf(at + 1,
                      " %c %*d %*d %*d %*d %*d %*u %llu %*u %llu %*u %llu %llu %*u %*u %*d %*d "
                      "%llu %*d %llu",
                      &state, &minor, &major, &user, &system, &threads, &start_time) != 7)
        return false;
    if (reader->start_time && reader->start_time != start_time)
        return false;
    reader->start_time = start_time;
    values[METRIC_MINOR_FAULTS] = minor;
    values[METRIC_MAJOR_FAULTS] = major;
    values[METRIC_CPU_USER] = of_ticks(user);
    values[METRIC_CPU_SYSTEM] = of_ticks(system);
    values[METRIC_THREADS] = threads;
    return true;
}

// The first thread tells of the memory too, unless it has ended before the others.
static void read_memory(struct metrics_reader *reader, uint64_t *values)
{
    char text[FILE_BYTES];
    struct memory_status status;
    pid_t tid;
    (void)read_file(reader, &reader->status, "status", text);
    memory_status_parse(text, &status);
    if (status.bytes[MEMORY_SIZE] == MEMORY_UNKNOWN &&
        memory_status_read(reader->pid, &status, &tid) != RC_OK)
        return;
    values[METRIC_RSS] = status.bytes[MEMORY_RSS];
    values[METRIC_SWAP] = status.bytes[MEMORY_SWAP];
    values[METRIC_VIRTUAL] = status.bytes[MEMORY_SIZE];
}

static void read_io(struct metrics_reader *reader, uint64_t *values)
{
    char text[FILE_BYTES];
    bool is_there = read_file(reader, &reader->io, "io", text);
    const char *at = is_there ? strstr(text, "\nread_bytes: ") : NULL;
    unsigned long long from, to;
    if (!at || sscanf(at, " read_bytes: %llu write_bytes: %llu", &from, &to) != 2)
        return;
    values[METRIC_READ] = from;
    values[METRIC_WRITTEN] = to;
}

static void count_entry(void *context, pid_t number)
{
    (void)number;
    ++*(uint64_t *)context;
}

// The kernel says how many descriptors there are since Linux 6.2; before they have to be listed,
// and the first one is 0, which is no number for procfs_each_number.
static uint64_t read_descriptors(const struct metrics_reader *reader)
{
    char path[48];
    struct stat stat;
    uint64_t count = 0;
    snprintf(path, sizeof path, "/proc/%d/fd", (int)reader->pid);
    if (lstat(path, &stat) == 0 && stat.st_size)
        return (uint64_t)stat.st_size;
    AUTO_FD int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || procfs_each_number(fd, count_entry, &count) != RC_OK)
        return METRIC_UNKNOWN;
    return count + (faccessat(fd, "0", F_OK, AT_SYMLINK_NOFOLLOW) == 0);
}

static uint64_t read_limit(const struct metrics_reader *reader)
{
    char text[FILE_BYTES];
    unsigned long long most;
    bool is_there = read_file(reader, NULL, "limits", text);
    const char *at = is_there ? strstr(text, "\nMax open files") : NULL;
    return at && sscanf(at, " Max open files %llu", &most) == 1 ? most : METRIC_UNKNOWN;
}

// --- threads ---

static uint64_t read_clock(pid_t pid)
{
    struct timespec time;
    if (clock_gettime(CLOCK_OF(pid), &time) != 0)
        return METRIC_UNKNOWN;
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

// Nobody is asked in a process that used no CPU since all its threads were seen asleep.
static void read_threads(struct metrics_reader *reader, int64_t budget, uint64_t *values)
{
    struct metrics_threads *threads = &reader->threads;
    uint64_t cpu_ns = read_clock(reader->pid), count = values[METRIC_THREADS];
    if (cpu_ns == METRIC_UNKNOWN || cpu_ns != reader->cpu_ns ||
        !metrics_threads_at_rest(threads, count))
        metrics_threads_read(threads, count, budget);
    reader->cpu_ns = cpu_ns;
    for (size_t i = 0; i < THREAD_STATES; i++)
        values[METRIC_RUNNING + i] = threads->sums[i];
    values[METRIC_VOLUNTARY] = threads->sums[THREAD_VOLUNTARY];
    values[METRIC_INVOLUNTARY] = threads->sums[THREAD_INVOLUNTARY];
    if (threads->waits_known)
        values[METRIC_RUN_QUEUE] = threads->waited;
}

// --- all of it ---

enum rc metrics_read(struct metrics_reader *reader, const struct metrics_wish *wish,
                     struct metrics *metrics)
{
    uint64_t *values = metrics->values;
    *metrics = (struct metrics){.at = clock_now(), .wall = clock_wall()};
    for (size_t i = 0; i < METRIC_COUNT; i++)
        values[i] = METRIC_UNKNOWN;
    if (!read_stat(reader, values))
        return RC_GONE;
    read_memory(reader, values);
    read_io(reader, values);
    if (reader->readings++ % LIMITS_EVERY == 0)
        reader->descriptors_most = read_limit(reader);
    values[METRIC_DESCRIPTORS] = read_descriptors(reader);
    values[METRIC_DESCRIPTORS_MOST] = reader->descriptors_most;
    read_threads(reader, wish->threads_budget, values);
    values[METRIC_PSS] = metrics_pss(&reader->pss, reader->pid, wish->pss_interval, metrics);
    return RC_OK;
}

const struct latency *metrics_run_queue(const struct metrics_reader *reader)
{
    return &reader->threads.run_queue;
}

void metrics_take_queue_waits(struct metrics_reader *reader,
                              struct queue_wait waits[LATENCY_BUCKETS])
{
    struct queue_wait *longest = reader->threads.longest;
    memcpy(waits, longest, sizeof reader->threads.longest);
    memset(longest, 0, sizeof reader->threads.longest);
}
