// SPDX-License-Identifier: MIT
#include "collect/switches_open.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "process/procfs.h"

#define RING_LARGEST (2u << 20)  // bytes: 65,000 records
#define RING_SMALLEST (32u << 10)
#define RINGS_MOST (64u << 20)   // of all CPUs together
#define WAKE_BYTES (128u << 10)  // that fill before we are woken

static struct perf_event_attr switch_attr(void)
{
    struct perf_event_attr attr = perf_event_attr_new(0);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    return attr;
}

// --- rings ---

// The ring of a CPU belongs to an event of ours that records nothing, because those of the target
// come and go.
static int open_anchor(int cpu)
{
    struct perf_event_attr attr = switch_attr();
    attr.watermark = 1;
    attr.wakeup_watermark = WAKE_BYTES;
    return perf_event_new(&attr, 0, cpu);
}

// Returns 0 or the error number.
static int add_ring(struct switch_events *events, int cpu, size_t size)
{
    const struct perf_format format = {switch_attr().sample_type, 0};
    struct cpu_ring ring = {.cpu = cpu};
    int fd = open_anchor(cpu);
    if (fd < 0)
        return errno == ENODEV || errno == ENXIO ? 0 : errno; // the CPU is off
    if (!perf_ring_map(&ring.ring, fd, size, format)) {
        int errnum = errno;
        close(fd);
        return errnum;
    }
    ARRAY_RESERVE(events->rings, events->ring_count, events->ring_capacity);
    events->rings[events->ring_count++] = ring;
    return 0;
}

static void close_rings(struct switch_events *events)
{
    while (events->ring_count) {
        struct perf_ring *ring = &events->rings[--events->ring_count].ring;
        int fd = ring->fd;
        perf_ring_unmap(ring);
        close(fd);
    }
}

// Memory that may be locked is what all CPUs share.
static void open_rings(struct switch_events *events)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    for (size_t size = RING_LARGEST; size >= RING_SMALLEST; size /= 2) {
        events->refused = size * (size_t)cpus > RINGS_MOST ? EPERM : 0;
        for (int cpu = 0; cpu < cpus && !events->refused; cpu++)
            events->refused = add_ring(events, cpu, size);
        if (events->refused != EPERM)
            break;
        close_rings(events);
    }
    if (!events->refused && !events->ring_count)
        events->refused = ENODEV;
    events->most = limits_files() / 2; // files of the target need some too
}

// --- threads ---

static void keep_fd(struct switch_events *events, int fd)
{
    ARRAY_RESERVE(events->fds, events->fd_count, events->fd_capacity);
    events->fds[events->fd_count++] = fd;
}

static void close_fds(struct switch_events *events, size_t kept)
{
    while (events->fd_count > kept)
        close(events->fds[--events->fd_count]);
}

static size_t count_threads(pid_t pid)
{
    struct proc_stat stat;
    return procfs_stat(pid, pid, &stat) == RC_OK && stat.threads > 0 ? (size_t)stat.threads : 0;
}

// Opens an event for each CPU that is of whoever runs there: a few descriptors for any number of
// threads. That takes a privilege, and costs the switches of all others time too.
static void open_whole(struct switch_events *events)
{
    struct perf_event_attr attr = switch_attr();
    attr.context_switch = attr.task = attr.comm = attr.comm_exec = 1;
    for (size_t i = 0; i < events->ring_count; i++) {
        int fd = perf_event_new(&attr, -1, events->rings[i].cpu);
        if (fd >= 0)
            keep_fd(events, fd);
        if (fd < 0 || !perf_ring_share(&events->rings[i].ring, fd)) {
            close_fds(events, 0);
            return;
        }
    }
    events->whole = true;
}

static int open_event(struct switch_events *events, pid_t tid, const struct cpu_ring *ring,
                      bool children)
{
    struct perf_event_attr attr = switch_attr();
    attr.context_switch = attr.task = attr.comm = attr.comm_exec = attr.inherit = 1;
    attr.inherit_thread = !children && !events->plain;
    int fd = perf_event_new(&attr, tid, ring->cpu);
    if (fd < 0 && errno == EINVAL && attr.inherit_thread) { // a kernel before 5.13
        events->plain = true;
        attr.inherit_thread = 0;
        fd = perf_event_new(&attr, tid, ring->cpu);
    }
    if (fd < 0 || perf_ring_share(&ring->ring, fd))
        return fd;
    close(fd);
    return -1;
}

// Returns 0 or the error number; then the thread has no events.
static int open_events(struct switch_events *events, pid_t tid, bool children)
{
    size_t before = events->fd_count;
    if (before + events->ring_count > events->most)
        return EMFILE;
    for (size_t i = 0; i < events->ring_count; i++) {
        int fd = open_event(events, tid, &events->rings[i], children);
        int errnum = fd < 0 ? errno : 0;
        if (errnum == ENODEV || errnum == ENXIO)
            continue;
        if (errnum) {
            close_fds(events, before);
            return errnum;
        }
        keep_fd(events, fd);
    }
    return 0;
}

static void note_without(struct switch_events *events, const struct proc_stat *stat)
{
    size_t length = strlen(events->unlisted), room = sizeof events->unlisted - length;
    if (map_get(&events->without, (uint64_t)stat->pid, 0))
        return;
    char name[sizeof stat->comm + 16];
    int more = snprintf(name, sizeof name, "%s%s %d", length ? ", " : "", stat->comm,
                        (int)stat->pid);
    map_put(&events->without, (uint64_t)stat->pid, 1);
    if (more > 0 && (size_t)more < room)
        memcpy(events->unlisted + length, name, (size_t)more + 1);
}

// Returns whether the thread is recorded from now on.
static bool open_thread(struct switch_events *events, struct recorder *recorder, pid_t pid,
                        pid_t tid, bool children)
{
    struct proc_stat stat;
    if (events->refused || recorder_is_listed(recorder, tid) ||
        procfs_stat(pid, tid, &stat) != RC_OK)
        return false;
    int errnum = events->whole ? 0 : open_events(events, tid, children);
    if (errnum == ESRCH)
        return false;
    if (errnum && !events->fd_count)
        events->refused = errnum;
    recorder_meet(recorder, pid, tid, stat.comm);
    if (errnum) {
        recorder_miss(recorder, tid);
        note_without(events, &stat);
        return false;
    }
    recorder_list(recorder, pid, tid, stat.state != 'R', clock_now());
    return true;
}

bool switch_events_open(struct switch_events *events, struct recorder *recorder, pid_t pid,
                        bool children)
{
    AUTO_FREE char *path = xasprintf("/proc/%d/task", (int)pid);
    bool any = false;
    if (!events->ring_count && !events->refused)
        open_rings(events);
    if (!events->fd_count && count_threads(pid) * events->ring_count > events->most)
        open_whole(events);
    DIR *directory = events->refused ? NULL : opendir(path);
    for (const struct dirent *entry; directory && (entry = readdir(directory));)
        if (*entry->d_name != '.')
            any |= open_thread(events, recorder, pid, (pid_t)atoi(entry->d_name), children);
    if (directory)
        closedir(directory);
    return any;
}

void switch_events_close(struct switch_events *events)
{
    close_fds(events, 0);
    free(events->fds);
    close_rings(events);
    free(events->rings);
    map_fini(&events->without);
    *events = (struct switch_events){0};
}
