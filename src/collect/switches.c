// SPDX-License-Identifier: MIT
#include "collect/switches.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/thread.h"
#include "collect/switches_open.h"
#include "process/perf_events.h"

#define WAIT_MS 50 // from one reading of the rings to the next, if they do not fill

struct asked_process { // a process whose threads are to be listed
    pid_t pid;
    int64_t after; // when all up to that time has been told
};

struct switches {
    struct recorder *recorder;
    bool children;
    struct switch_events events;
    struct map pids; // those that are followed
    pthread_mutex_t lock; // of `asked`
    struct asked_process *asked;
    size_t asked_count, asked_capacity;
    int wake_fd;
    int64_t told; // all up to that time
    pthread_t thread;
    bool started;
    atomic_bool leaving;
};

struct switches *switches_new(struct recorder *recorder, bool children)
{
    struct switches *switches = xcalloc(1, sizeof *switches);
    switches->recorder = recorder;
    switches->children = children;
    switches->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&switches->lock, NULL);
    return switches;
}

void switches_free(struct switches *switches)
{
    if (!switches)
        return;
    switches_stop(switches);
    switch_events_close(&switches->events);
    map_fini(&switches->pids);
    free(switches->asked);
    if (switches->wake_fd >= 0)
        close(switches->wake_fd);
    pthread_mutex_destroy(&switches->lock);
    free(switches);
}

// --- who is followed ---

static void ask(struct switches *switches, struct asked_process asked)
{
    pthread_mutex_lock(&switches->lock);
    ARRAY_RESERVE(switches->asked, switches->asked_count, switches->asked_capacity);
    switches->asked[switches->asked_count++] = asked;
    pthread_mutex_unlock(&switches->lock);
}

// A process that is found while others are recorded may have inherited their events.
void switches_follow(struct switches *switches, pid_t pid)
{
    ask(switches, (struct asked_process){pid, switches->started ? clock_now() : 0});
    eventfd_write(switches->wake_fd, 1);
}

static bool next_asked(struct switches *switches, struct asked_process *asked)
{
    bool found = false;
    pthread_mutex_lock(&switches->lock);
    for (size_t i = 0; i < switches->asked_count && !found; i++) {
        found = switches->asked[i].after <= switches->told;
        if (!found)
            continue;
        *asked = switches->asked[i];
        switches->asked[i] = switches->asked[--switches->asked_count];
    }
    pthread_mutex_unlock(&switches->lock);
    return found;
}

// Threads that were born while the others were opened have inherited events or not: that is known
// when their births have been told.
static void follow(struct switches *switches, pid_t pid)
{
    map_put(&switches->pids, (uint64_t)pid, 1);
    if (switch_events_open(&switches->events, switches->recorder, pid, switches->children))
        ask(switches, (struct asked_process){pid, clock_now()});
}

// --- records ---

// Events of all threads of the machine tell of other processes too, and events that know no
// difference between threads and processes of those that the process starts.
static bool is_followed(struct switches *switches, const struct perf_record *record)
{
    if (switches->children && !switches->events.whole)
        return true;
    if (switches->children && record->type == PERF_RECORD_FORK &&
        map_get(&switches->pids, (uint64_t)record->parent_pid, 0))
        map_put(&switches->pids, (uint64_t)record->pid, 1);
    return map_get(&switches->pids, (uint64_t)record->pid, 0);
}

static void take_turn(struct recorder *recorder, const struct perf_record *record)
{
    bool out = record->misc & PERF_RECORD_MISC_SWITCH_OUT;
    bool queued = record->misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT;
    recorder_turn(recorder, &(struct recorder_turn){
        .pid = record->pid,
        .tid = record->tid,
        .time = record->time,
        .cpu = record->cpu,
        .state = !out ? STATE_RUNNING : queued ? STATE_QUEUED : STATE_BLOCKED,
    });
}

static void take_name(struct recorder *recorder, const struct perf_record *record)
{
    if (record->misc & PERF_RECORD_MISC_COMM_EXEC)
        recorder_exec(recorder, record->pid, record->cpu, record->time);
    recorder_name(recorder, record->pid, record->tid, record->comm);
}

static void take(struct switches *switches, const struct perf_record *record)
{
    struct recorder *recorder = switches->recorder;
    switches->events.lost += record->lost;
    if (!is_followed(switches, record))
        return;
    switch (record->type) {
    case PERF_RECORD_SWITCH:
    case PERF_RECORD_SWITCH_CPU_WIDE:
        take_turn(recorder, record);
        break;
    case PERF_RECORD_FORK:
        recorder_birth(recorder, record->pid, record->tid, record->parent, record->time);
        break;
    case PERF_RECORD_EXIT:
        recorder_end(recorder, record->tid, record->time);
        break;
    case PERF_RECORD_COMM:
        take_name(recorder, record);
        break;
    default:
        break;
    }
}

// Returns the ring with the oldest record that is older than that, or NULL.
static struct cpu_ring *oldest(struct switch_events *events, int64_t until)
{
    struct cpu_ring *found = NULL;
    for (size_t i = 0; i < events->ring_count; i++) {
        struct cpu_ring *ring = &events->rings[i];
        if (!ring->peeked)
            ring->peeked = perf_ring_peek(&ring->ring, &ring->record);
        if (!ring->peeked || ring->record.time >= until)
            continue;
        if (!found || ring->record.time < found->record.time)
            found = ring;
    }
    return found;
}

static void read_until(struct switches *switches, int64_t until)
{
    for (struct cpu_ring *ring; (ring = oldest(&switches->events, until)); ring->peeked = false) {
        take(switches, &ring->record);
        perf_ring_release(&ring->ring);
    }
    switches->told = until;
    recorder_told_until(switches->recorder, until);
}

// --- the thread ---

static void wait_for_records(struct switches *switches)
{
    struct switch_events *events = &switches->events;
    size_t count = events->ring_count + 1;
    AUTO_FREE struct pollfd *fds = xcalloc(count, sizeof *fds);
    eventfd_t ignored;
    for (size_t i = 0; i < events->ring_count; i++)
        fds[i] = (struct pollfd){.fd = events->rings[i].ring.fd, .events = POLLIN};
    fds[count - 1] = (struct pollfd){.fd = switches->wake_fd, .events = POLLIN};
    poll(fds, count, WAIT_MS);
    eventfd_read(switches->wake_fd, &ignored);
}

// What is recorded becomes visible a little after its time, the later if a virtual CPU is not run:
// so a record is told one turn later.
static void *read_switches(void *context)
{
    struct switches *switches = context;
    thread_come_late();
    recorder_expect(switches->recorder, true);
    while (!atomic_load(&switches->leaving) && !switches->events.refused) {
        int64_t now = clock_now();
        for (struct asked_process asked; next_asked(switches, &asked);)
            follow(switches, asked.pid);
        wait_for_records(switches);
        read_until(switches, now);
    }
    recorder_expect(switches->recorder, !switches->events.refused);
    return NULL;
}

enum rc switches_start(struct switches *switches, struct err *err)
{
    int errnum = thread_start(&switches->thread, read_switches, switches);
    switches->started = !errnum;
    return errnum ? limits_sys(err, RC_FAIL, errnum, "cannot start a thread") : RC_OK;
}

void switches_stop(struct switches *switches)
{
    if (!switches->started)
        return;
    int64_t now = clock_now();
    atomic_store(&switches->leaving, true);
    eventfd_write(switches->wake_fd, 1);
    pthread_join(switches->thread, NULL);
    switches->started = false;
    read_until(switches, now);
}

void switches_facts(const struct switches *switches, struct run_trace *facts)
{
    facts->refused = switches->events.refused;
    facts->without = switches->events.without.count;
    facts->lost = switches->events.lost;
    memcpy(facts->unlisted, switches->events.unlisted, sizeof facts->unlisted);
}
