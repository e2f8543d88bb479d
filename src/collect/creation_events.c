// SPDX-License-Identifier: MIT
#include "collect/creation_events.h"

#include <errno.h>
#include <linux/hw_breakpoint.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/mem.h"
#include "process/perf_registers.h"

#define RING_LEAST (64u << 10)  // bytes
#define RING_MODEST (512u << 10) // that any user may lock for each CPU
#define RING_MOST (16u << 20)
#define RINGS_MOST (64u << 20)  // of all CPUs together
#define STACK_LEAST (8u << 10)  // as much as nine of ten stacks have
#define STACK_MOST (16u << 10)
#define RECORDS 64     // that a ring holds at least, unless it has the least of stacks
#define WAKE_SHARE 8   // we are woken when such a part of a ring is full
#define FILES_LEFT 200 // descriptors that stay for others

static struct perf_format format(void)
{
    return (struct perf_format){
        .sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_CPU |
                       PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER,
        .registers = perf_registers_mask,
    };
}

// All events of a ring have the same format, also those that take no samples.
static struct perf_event_attr event(const struct creation_events *events)
{
    struct perf_event_attr attr = perf_event_attr_new(format().sample_type);
    attr.type = PERF_TYPE_SOFTWARE;
    attr.config = PERF_COUNT_SW_DUMMY;
    attr.sample_regs_user = perf_registers_mask;
    attr.sample_stack_user = events->stack_bytes;
    return attr;
}

// --- rings ---

static uint32_t stack_for(size_t size)
{
    size_t bytes = size / RECORDS;
    return (uint32_t)(bytes < STACK_LEAST ? STACK_LEAST : bytes < STACK_MOST ? bytes : STACK_MOST);
}

// The ring belongs to an event of this thread, because one of a thread that has ended would be
// readable for ever.
static bool open_ring(struct creation_events *events, int cpu, size_t size)
{
    struct perf_event_attr attr = event(events);
    struct creation_ring *ring = &events->rings[events->ring_count];
    attr.watermark = 1;
    attr.wakeup_watermark = (uint32_t)(size / WAKE_SHARE);
    ring->cpu = cpu;
    ring->fd = perf_event_new(&attr, 0, cpu);
    if (ring->fd < 0)
        return errno == ENODEV; // a CPU that is off line
    if (!perf_ring_map(&ring->ring, ring->fd, size, format())) {
        int error = errno;
        close(ring->fd);
        errno = error;
        return false;
    }
    events->ring_count++;
    return true;
}

static void close_rings(struct creation_events *events)
{
    for (size_t i = 0; i < events->ring_count; i++) {
        perf_ring_unmap(&events->rings[i].ring);
        close(events->rings[i].fd);
    }
    events->ring_count = 0;
}

static bool open_rings(struct creation_events *events, int cpus, size_t size)
{
    events->stack_bytes = stack_for(size);
    for (int cpu = 0; cpu < cpus; cpu++)
        if (!open_ring(events, cpu, size)) {
            events->error = errno;
            close_rings(events);
            return false;
        }
    return true;
}

static size_t first_size(int cpus)
{
    size_t size = RING_MOST;
    while (size > RING_MODEST && size * (size_t)cpus > RINGS_MOST)
        size /= 2;
    return size;
}

bool creation_events_open(struct creation_events *events)
{
    int cpus = (int)sysconf(_SC_NPROCESSORS_CONF);
    events->rings = xcalloc((size_t)cpus, sizeof *events->rings);
    size_t size = first_size(cpus);
    bool open = false;
    // More memory than may be locked is refused by EPERM, as much else is.
    for (; !open && size >= RING_LEAST; size /= 2)
        open = open_rings(events, cpus, size);
    events->error = open ? 0 : events->error;
    return open;
}

void creation_events_close(struct creation_events *events)
{
    for (size_t i = 0; i < events->count; i++)
        close(events->fds[i]);
    close_rings(events);
    free(events->fds);
    free(events->rings);
    events->fds = NULL;
    events->rings = NULL;
    events->count = events->capacity = 0;
}

void creation_events_wait(const struct creation_events *events, int milliseconds)
{
    AUTO_FREE struct pollfd *fds = xcalloc(events->ring_count + 1, sizeof *fds);
    for (size_t i = 0; i < events->ring_count; i++)
        fds[i] = (struct pollfd){.fd = events->rings[i].fd, .events = POLLIN};
    poll(fds, events->ring_count, milliseconds);
}

// --- events of threads ---

static int open_event(struct creation_events *events, struct perf_event_attr *attr, pid_t tid,
                      int cpu)
{
    attr->inherit = 1;
    attr->inherit_thread = attr->remove_on_exec = !events->old;
    int fd = perf_event_new(attr, tid, cpu);
    if (fd >= 0 || events->old || (errno != EINVAL && errno != E2BIG))
        return fd;
    attr->inherit_thread = attr->remove_on_exec = 0;
    fd = perf_event_new(attr, tid, cpu);
    events->old = fd >= 0;
    return fd;
}

// Returns false, and errno, when there is no such event.
static bool add_event(struct creation_events *events, struct perf_event_attr *attr, pid_t tid,
                      const struct creation_ring *ring)
{
    int fd = open_event(events, attr, tid, ring->cpu);
    events->full |= fd < 0 ? errno == EMFILE || errno == ENFILE
                           : (unsigned long)fd + FILES_LEFT > limits_files();
    if (fd < 0)
        return false;
    int failed = perf_ring_share(&ring->ring, fd) ? 0 : errno;
    if (failed || events->full) {
        close(fd);
        errno = failed ? failed : EMFILE;
        return false;
    }
    ARRAY_RESERVE(events->fds, events->count, events->capacity);
    events->fds[events->count++] = fd;
    return true;
}

static bool add_breakpoint(struct creation_events *events, pid_t tid,
                           const struct creation_ring *ring, uint64_t address, bool births)
{
    struct perf_event_attr attr = event(events);
    attr.type = PERF_TYPE_BREAKPOINT;
    attr.config = 0;
    attr.bp_type = HW_BREAKPOINT_X;
    attr.bp_addr = address;
    attr.bp_len = sizeof(long);
    attr.sample_period = 1;
    attr.task = births; // in one event of a thread
    if (add_event(events, &attr, tid, ring))
        return true;
    if (!events->error && errno != ESRCH && !events->full)
        events->error = errno;
    return false;
}

static bool add_births(struct creation_events *events, pid_t tid, const struct creation_ring *ring)
{
    struct perf_event_attr attr = event(events);
    attr.task = 1;
    return add_event(events, &attr, tid, ring);
}

// Adds the events of a thread on one CPU.
static bool add_on(struct creation_events *events, pid_t tid, const struct thread_calls *calls,
                   const struct creation_ring *ring)
{
    bool births = false;
    for (size_t i = 0; i < calls->count && !events->full; i++)
        births |= add_breakpoint(events, tid, ring, calls->list[i], !births);
    return births || (!events->full && add_births(events, tid, ring));
}

bool creation_events_add(struct creation_events *events, pid_t tid,
                         const struct thread_calls *calls)
{
    bool any = false;
    for (size_t i = 0; i < events->ring_count && !events->full; i++)
        any |= add_on(events, tid, calls, &events->rings[i]);
    events->threads += any && !events->full;
    events->without += events->full;
    return any;
}
