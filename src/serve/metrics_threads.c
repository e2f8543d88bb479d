// SPDX-License-Identifier: MIT
#include "serve/metrics_threads.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "process/procfs.h"

#define LIST_SHARE 500   // listing takes at most this part of the time
#define LIST_ANYHOW (10ll * NS_PER_S)
#define KEPT_OPEN 64     // threads of a process whose files may stay open
#define STATUS_BYTES 4096
#define TOGETHER 8       // threads that are read between two looks at the clock
#define GONE 'X'

static void close_thread(struct metrics_thread *thread)
{
    proc_file_close(&thread->schedstat);
    proc_file_close(&thread->status);
}

void metrics_threads_fini(struct metrics_threads *threads)
{
    for (size_t i = 0; i < threads->count; i++)
        close_thread(&threads->threads[i]);
    free(threads->threads);
}

// --- who is there ---

static int order(const void *a, const void *b)
{
    pid_t first = ((const struct metrics_thread *)a)->tid;
    pid_t second = ((const struct metrics_thread *)b)->tid;
    return (first > second) - (first < second);
}

static void meet(void *context, pid_t tid)
{
    struct metrics_threads *threads = context;
    struct metrics_thread *known = NULL;
    if (threads->known) // nothing is no array
        known = bsearch(&(struct metrics_thread){.tid = tid}, threads->threads, threads->known,
                        sizeof *known, order);
    if (!known) {
        ARRAY_RESERVE(threads->threads, threads->count, threads->capacity);
        known = &threads->threads[threads->count++];
        *known = (struct metrics_thread){.tid = tid};
    }
    known->seen = threads->listings;
}

static void drop_those_that_left(struct metrics_threads *threads)
{
    size_t kept = 0;
    for (size_t i = 0; i < threads->count; i++)
        if (threads->threads[i].seen == threads->listings && threads->threads[i].state != GONE)
            threads->threads[kept++] = threads->threads[i];
        else
            close_thread(&threads->threads[i]);
    threads->count = kept;
    threads->next = threads->next < kept ? threads->next : 0;
    threads->someone_left = false;
}

static void list(struct metrics_threads *threads, int64_t now)
{
    char path[48];
    snprintf(path, sizeof path, "/proc/%d/task", (int)threads->pid);
    AUTO_FD int task = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    threads->known = threads->count;
    threads->listings++;
    if (task < 0 || procfs_each_number(task, meet, threads) != RC_OK)
        return;
    drop_those_that_left(threads);
    if (threads->count)
        qsort(threads->threads, threads->count, sizeof *threads->threads, order);
    threads->listed_at = now;
    threads->list_next = now + LIST_SHARE * (clock_now() - now);
}

static void list_if_due(struct metrics_threads *threads, uint64_t count)
{
    int64_t now = clock_now();
    bool wanted = count != threads->count || threads->someone_left ||
                  now >= threads->listed_at + LIST_ANYHOW;
    if (wanted && now >= threads->list_next)
        list(threads, now);
}

// --- one thread ---

static bool read_file(const struct metrics_threads *threads, pid_t tid, const char *name,
                      struct proc_file *file, bool keep, char *text, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task/%d/%s", (int)threads->pid, (int)tid, name);
    return keep || file->fd ? proc_file_read(file, path, text, size)
                            : proc_file_read_once(path, text, size);
}

static bool read_schedstat(const struct metrics_threads *threads, struct metrics_thread *thread,
                           bool keep, struct schedstat *stat)
{
    char text[80];
    return read_file(threads, thread->tid, "schedstat", &thread->schedstat, keep, text,
                     sizeof text) &&
           schedstat_parse(text, stat);
}

static uint64_t number_behind(const char *text, const char *key)
{
    const char *at = strstr(text, key);
    return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static bool read_status(struct metrics_threads *threads, struct metrics_thread *thread, bool keep)
{
    static const char *const keys[] = {"\nvoluntary_ctxt_switches:\t",
                                       "\nnonvoluntary_ctxt_switches:\t"};
    char text[STATUS_BYTES];
    if (!read_file(threads, thread->tid, "status", &thread->status, keep, text, sizeof text))
        return false;
    const char *state = strstr(text, "\nState:\t"); // the name before it has no newline
    thread->state = state ? state[8] : GONE;
    for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
        uint64_t switches = number_behind(text, keys[i]);
        if (switches > thread->switches[i])
            threads->sums[THREAD_VOLUNTARY + i] += switches - thread->switches[i];
        thread->switches[i] = switches;
    }
    return true;
}

// Being sampled is both, a preemption and a sleep, as the kernel counts.
static bool is_woken(const struct metrics_thread *before, const struct metrics_thread *thread)
{
    uint64_t slept = thread->switches[0] - before->switches[0];
    return slept > 2 * (thread->switches[1] - before->switches[1]);
}

// What threads had waited before they were seen for the first time counts in the sum. It is no
// distribution: only those that began since then count in that.
static void add_waits(struct metrics_threads *threads, const struct metrics_thread *before,
                      struct metrics_thread *thread, const struct schedstat *stat)
{
    uint64_t waited = stat->wait_ns - thread->waited, turns = stat->switches - thread->turns;
    if (stat->wait_ns < thread->waited || stat->switches < thread->turns)
        waited = turns = 0;
    threads->waited += waited;
    thread->waited = stat->wait_ns;
    thread->turns = stat->switches;
    if (!turns || (!before->state && threads->listings == 1))
        return;
    struct queue_wait *longest = &threads->longest[latency_add(&threads->run_queue, turns, waited)];
    if (waited > longest->sum)
        *longest = (struct queue_wait){thread->tid, is_woken(before, thread), waited,
                                       waited / turns, clock_wall()};
}

// Who has had no turn on a CPU since it was seen off it is as it was, but for being woken just now.
static bool read_thread(struct metrics_threads *threads, struct metrics_thread *thread, bool keep)
{
    const struct metrics_thread before = *thread;
    struct schedstat stat;
    bool timed = read_schedstat(threads, thread, keep, &stat);
    bool is_same = timed && before.state && before.state != 'R' && stat.switches == before.turns;
    bool is_there = is_same || read_status(threads, thread, keep && before.state); // has run again
    threads->waits_known |= timed;
    if (timed)
        add_waits(threads, &before, thread, &stat);
    return is_there;
}

// --- all of them ---

static enum thread_figure figure_of(char state)
{
    switch (state) {
    case 'R':
        return THREAD_RUNNING;
    case 'S':
    case 'I':
        return THREAD_SLEEPING;
    case 'D':
        return THREAD_DISK;
    case 'T':
    case 't':
        return THREAD_STOPPED;
    default:
        return THREAD_STATES; // it has ended, or was not read yet
    }
}

static void count_states(struct metrics_threads *threads)
{
    memset(threads->sums, 0, THREAD_STATES * sizeof *threads->sums);
    for (size_t i = 0; i < threads->count; i++) {
        enum thread_figure figure = figure_of(threads->threads[i].state);
        if (figure != THREAD_STATES)
            threads->sums[figure]++;
    }
}

size_t metrics_threads_read(struct metrics_threads *threads, uint64_t count, int64_t budget_ns)
{
    int64_t began = clock_thread();
    size_t read = 0;
    list_if_due(threads, count);
    while (read < threads->count &&
           (!read || read % TOGETHER || clock_thread() - began < budget_ns)) {
        struct metrics_thread *thread = &threads->threads[threads->next];
        if (thread->state != GONE && !read_thread(threads, thread, threads->next < KEPT_OPEN)) {
            thread->state = GONE;
            threads->someone_left = true;
        }
        threads->next = (threads->next + 1) % threads->count;
        read++;
    }
    count_states(threads);
    return read;
}

bool metrics_threads_at_rest(const struct metrics_threads *threads, uint64_t count)
{
    if (count != threads->count || threads->sums[THREAD_RUNNING] || threads->someone_left)
        return false;
    for (size_t i = 0; i < threads->count; i++)
        if (!threads->threads[i].state)
            return false;
    return true;
}
