// SPDX-License-Identifier: MIT
#include "collect/creations.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "collect/creation_events.h"
#include "collect/creation_stacks.h"
#include "process/maps.h"
#include "profile/fill.h"
#include "sample/priority.h"
#include "symbol/headers.h"
#include "symbol/symbolizer.h"

#define DEPTH_MAX 4096
#define NODES_MAX (4u << 20)
#define CREATORS_MAX (1u << 16) // that are told apart
#define WAIT_MS 50
#define SETTLE_NS (20 * NS_PER_MS) // after which nothing older comes into any ring
#define EXEC_NS (200 * NS_PER_MS)  // an exec goes unnoticed for so long
#define PASSES_MAX 8               // over threads that are born while others get their events

struct watched_process {
    pid_t pid;
    char comm[COMM_MAX];
    struct process_image image;
    struct thread_calls calls;
    int maps_fd; // of its present image, -1: none
};

struct creator { // a thread that starts others
    uint32_t thread; // of the profile
    uint32_t node;   // of the stack with which it last asked for a thread, 0: none or not known
    pid_t last;      // the thread that it last started, 0: none
};

enum happening { CALLED, BORN, ENDED };

struct happened { // a record, without what it points to
    int64_t time;
    enum happening what;
    uint32_t process; // index
    pid_t tid;        // that called, started another or ended
    pid_t child;      // BORN; 0: it is a process
    uint32_t node;    // CALLED
};

struct creations {
    struct watched_process *processes;
    size_t count;
    struct creation_events events;
    struct creation_stacks stacks;
    struct modules *modules;
    struct symbolizer *symbolizer;
    struct walker *walker;
    struct profile *profile;
    uint32_t not_seen; // node of the stack that stands for one that is not known
    struct {
        struct happened *list; // not yet in order
        size_t count, capacity;
    } news;
    struct map watched;  // tid -> 1: it has events or has inherited them, or there are none left
    struct map born;     // tid -> ms from `began` to when a thread of that number was first born
    int64_t began;       // CLOCK_MONOTONIC ns
    int64_t began_wall;  // ns since 1970 UTC
    struct map creator_of; // tid -> index + 1
    struct creator *creators;
    size_t creator_count, creator_capacity;
    int64_t looked_at; // whether a process has executed another program
    struct creations_facts facts;
    pthread_t thread;
    bool started, stopped;
    atomic_bool leaving;
};

// --- who is watched ---

struct watch_listing { // of a process's threads
    struct creations *creations;
    struct watched_process *process;
    size_t added;
};

static void add_thread(void *context, pid_t tid)
{
    struct watch_listing *listing = context;
    struct creations *creations = listing->creations;
    if (map_get(&creations->watched, (uint64_t)tid, 0))
        return;
    if (!creation_events_add(&creations->events, tid, &listing->process->calls) &&
        !creations->events.full)
        return; // it has ended, or is not to be had
    map_put(&creations->watched, (uint64_t)tid, 1);
    listing->added++;
}

static void read_rings(struct creations *creations);

// A thread that is born while the others get their events has inherited them or not: the record of
// its birth says so.
static void watch_threads(struct creations *creations, struct watched_process *process,
                          int task_fd)
{
    struct watch_listing listing = {creations, process, 1};
    for (unsigned i = 0; i < PASSES_MAX && listing.added; i++) {
        listing.added = 0;
        if (procfs_each_number(task_fd, add_thread, &listing) != RC_OK)
            return;
        read_rings(creations);
    }
}

static bool is_filtered(pid_t pid)
{
    struct proc_status status;
    return procfs_status(pid, &status) != RC_OK || status.seccomp;
}

// The maps of a leader that has ended are empty: then those of another thread are read.
static void load_image(void *context, pid_t tid)
{
    struct watch_listing *listing = context;
    struct process_image *image = &listing->process->image;
    if (!image->space || space_is_empty(image->space))
        process_image_load(image, listing->creations->modules, listing->process->pid, tid, 0,
                           listing->creations->walker);
}

static void watch_image(struct creations *creations, struct watched_process *process)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)process->pid);
    AUTO_FD int task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cleanup_fd(&process->maps_fd);
    process->maps_fd = maps_file_open(task_fd, process->pid, "maps");
    if (procfs_comm(process->pid, process->pid, process->comm) != RC_OK)
        process->comm[0] = '\0';
    symbolizer_add_root(creations->symbolizer, process->pid);
    struct watch_listing listing = {creations, process, 0};
    process_image_fini(&process->image);
    if (task_fd < 0 || procfs_each_number(task_fd, load_image, &listing) != RC_OK ||
        !process->image.space)
        return; // it has ended
    thread_calls_find(process->image.space, is_filtered(process->pid), &process->calls);
    creations->facts.unfound |= !process->calls.count;
    watch_threads(creations, process, task_fd);
}

// All threads but one end with an exec, and that one loses its events.
static void follow_exec(struct creations *creations, struct watched_process *process)
{
    if (process->maps_fd < 0 || maps_file_is_current(process->maps_fd))
        return;
    creations->facts.execs++;
    map_remove(&creations->watched, (uint64_t)process->pid);
    watch_image(creations, process);
}

// --- what happens ---

static uint32_t process_of(const struct creations *creations, pid_t pid)
{
    uint32_t i = 0;
    while (i < creations->count && creations->processes[i].pid != pid)
        i++;
    return i;
}

static void note(struct creations *creations, const struct perf_record *record,
                 struct happened news)
{
    pid_t pid = news.what == BORN ? record->parent_pid : record->pid;
    news.time = record->time;
    news.process = process_of(creations, pid);
    if (news.process == creations->count)
        return; // a process that a watched one has started
    if (news.what == CALLED)
        news.node = creation_stacks_node(&creations->stacks,
                                         &creations->processes[news.process].image, record);
    ARRAY_RESERVE(creations->news.list, creations->news.count, creations->news.capacity);
    creations->news.list[creations->news.count++] = news;
}

static void take_record(struct creations *creations, const struct perf_record *record)
{
    bool thread = record->pid == record->parent_pid;
    switch (record->type) {
    case PERF_RECORD_SAMPLE:
        note(creations, record, (struct happened){.what = CALLED, .tid = record->tid});
        break;
    case PERF_RECORD_FORK:
        note(creations, record, (struct happened){.what = BORN,
                                                  .tid = record->parent,
                                                  .child = thread ? record->tid : 0});
        map_put(&creations->watched, (uint64_t)record->tid, 1);
        break;
    case PERF_RECORD_EXIT:
        note(creations, record, (struct happened){.what = ENDED, .tid = record->tid});
        map_remove(&creations->watched, (uint64_t)record->tid);
        break;
    case PERF_RECORD_LOST:
    case PERF_RECORD_LOST_SAMPLES:
        creations->facts.lost += record->lost;
        break;
    default:
        break;
    }
}

static void read_rings(struct creations *creations)
{
    struct perf_record record;
    for (size_t i = 0; i < creations->events.ring_count; i++) {
        struct perf_ring *ring = &creations->events.rings[i].ring;
        // What comes meanwhile is read the next time.
        uint64_t end = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
        while ((int64_t)(end - ring->read) > 0 && perf_ring_peek(ring, &record)) {
            take_record(creations, &record);
            perf_ring_release(ring);
        }
    }
}

static uint32_t new_thread(struct creations *creations, const struct watched_process *process,
                           pid_t tid)
{
    char comm[COMM_MAX];
    if (procfs_comm(process->pid, tid, comm) != RC_OK)
        comm[0] = '\0'; // it has ended
    return profile_thread_add(creations->profile, process->pid, tid, comm, process->comm);
}

// Returns what is known of a thread that starts others. Those beyond the most share one without a
// name.
static struct creator *creator_of(struct creations *creations, uint32_t process, pid_t tid)
{
    uint32_t index = map_get(&creations->creator_of, (uint64_t)tid, 0);
    if (index)
        return &creations->creators[index - 1];
    if (creations->creator_count >= CREATORS_MAX)
        tid = 0;
    if (!tid && (index = map_get(&creations->creator_of, 0, 0)))
        return &creations->creators[index - 1];
    ARRAY_RESERVE(creations->creators, creations->creator_count, creations->creator_capacity);
    struct creator *creator = &creations->creators[creations->creator_count++];
    *creator = (struct creator){
        .thread = new_thread(creations, &creations->processes[process], tid)};
    map_put(&creations->creator_of, (uint64_t)tid, (uint32_t)creations->creator_count);
    return creator;
}

static void note_birth(struct creations *creations, pid_t child, int64_t time)
{
    int64_t ms = (time - creations->began) / NS_PER_MS;
    if (map_get(&creations->born, (uint64_t)child, UINT32_MAX) == UINT32_MAX)
        map_put(&creations->born, (uint64_t)child, ms < 0 ? 0 : (uint32_t)ms);
}

static void count_birth(struct creations *creations, struct creator *creator, pid_t child)
{
    uint32_t node = creator->node;
    creator->node = 0;
    if (!child || child == creator->last)
        return; // a process; or a thread with two events has it recorded twice
    creator->last = child;
    creations->facts.seen++;
    creations->facts.unknown += !node;
    profile_add(creations->profile,
                profile_value_at(creations->profile, node ? node : creations->not_seen,
                                 creator->thread, STATE_CPU),
                1, 0);
}

static void take_news(struct creations *creations, const struct happened *news)
{
    if (news->what == ENDED) {
        map_remove(&creations->creator_of, (uint64_t)news->tid);
        return;
    }
    struct creator *creator = creator_of(creations, news->process, news->tid);
    if (news->child)
        note_birth(creations, news->child, news->time);
    if (news->what == CALLED)
        creator->node = news->node;
    else
        count_birth(creations, creator, news->child);
}

static int compare(const void *left, const void *right)
{
    const struct happened *a = left, *b = right;
    return a->time != b->time ? (a->time > b->time) - (a->time < b->time)
                              : (int)a->what - (int)b->what;
}

// A thread may ask on one CPU and be answered on another: what happened is taken in by time, once
// everything up to then has been read.
static void take_in(struct creations *creations, int64_t until)
{
    size_t taken = 0;
    if (creations->news.count)
        qsort(creations->news.list, creations->news.count, sizeof *creations->news.list, compare);
    while (taken < creations->news.count && creations->news.list[taken].time <= until)
        take_news(creations, &creations->news.list[taken++]);
    if (!taken)
        return;
    creations->news.count -= taken;
    memmove(creations->news.list, creations->news.list + taken,
            creations->news.count * sizeof *creations->news.list);
}

static void *watch(void *context)
{
    struct creations *creations = context;
    // Threads that start others by the thousand leave no CPU idle, and a ring is full soon.
    priority_prompt();
    walker_lead(creations->walker);
    while (!atomic_load(&creations->leaving)) {
        creation_events_wait(&creations->events, WAIT_MS);
        int64_t now = clock_now();
        read_rings(creations);
        take_in(creations, now - SETTLE_NS);
        if (now - creations->looked_at < EXEC_NS)
            continue;
        creations->looked_at = now;
        for (size_t i = 0; i < creations->count; i++)
            follow_exec(creations, &creations->processes[i]);
    }
    return NULL;
}

// --- from the first to the last ---

static struct creations *creations_new(const pid_t *pids, size_t count)
{
    struct creations *creations = xcalloc(1, sizeof *creations);
    creations->began = clock_now();
    creations->began_wall = clock_wall();
    creations->processes = xcalloc(count, sizeof *creations->processes);
    creations->count = count;
    for (size_t i = 0; i < count; i++)
        creations->processes[i] = (struct watched_process){.pid = pids[i], .maps_fd = -1};
    headers_isolate();
    creations->modules = modules_new();
    creations->symbolizer = symbolizer_new(creations->modules);
    symbolizer_isolate(creations->symbolizer);
    creations->profile = profile_new(NODES_MAX);
    const struct mapping *mapping =
        modules_special(creations->modules, MODULE_SPECIAL, CREATOR_NOT_SEEN);
    uint32_t location = profile_location(creations->profile, mapping->id, 0);
    creations->not_seen = profile_stack(creations->profile, &location, 1);
    return creations;
}

struct creations *creations_start(const pid_t *pids, size_t count)
{
    struct creations *creations = creations_new(pids, count);
    creations->facts.watched = creation_events_open(&creations->events);
    if (!creations->facts.watched)
        return creations;
    creations->walker = walker_new(DEPTH_MAX);
    creation_stacks_init(&creations->stacks, creations->profile, creations->modules, DEPTH_MAX,
                         creations->events.stack_bytes);
    for (size_t i = 0; i < count; i++)
        watch_image(creations, &creations->processes[i]);
    creations->facts.watched = creations->events.threads;
    creations->started = creations->facts.watched &&
                         thread_start(&creations->thread, watch, creations) == 0;
    return creations;
}

void creations_stop(struct creations *creations)
{
    if (creations->stopped)
        return;
    creations->stopped = true;
    atomic_store(&creations->leaving, true);
    if (creations->started)
        pthread_join(creations->thread, NULL);
    read_rings(creations);
    take_in(creations, INT64_MAX);
    creations->facts.error = creations->events.error;
    creations->facts.without = creations->events.without;
    creation_events_close(&creations->events);
    for (size_t i = 0; i < creations->count; i++)
        if (creations->processes[i].image.space)
            space_finish(creations->processes[i].image.space);
}

void creations_free(struct creations *creations)
{
    if (!creations)
        return;
    creations_stop(creations);
    for (size_t i = 0; i < creations->count; i++) {
        process_image_fini(&creations->processes[i].image);
        cleanup_fd(&creations->processes[i].maps_fd);
    }
    if (creations->walker)
        creation_stacks_fini(&creations->stacks);
    walker_free(creations->walker);
    profile_free(creations->profile);
    symbolizer_free(creations->symbolizer);
    modules_free(creations->modules);
    headers_end();
    map_fini(&creations->watched);
    map_fini(&creations->born);
    map_fini(&creations->creator_of);
    free(creations->creators);
    free(creations->news.list);
    free(creations->processes);
    free(creations);
}

struct creations_facts creations_facts(const struct creations *creations)
{
    struct creations_facts facts = creations->facts;
    facts.cut = creations->stacks.cut;
    facts.stacks = facts.watched && facts.seen > facts.unknown;
    return facts;
}

bool creations_has_seen(const struct creations *creations, pid_t tid, int64_t before)
{
    uint32_t born = map_get(&creations->born, (uint64_t)tid, UINT32_MAX);
    return born != UINT32_MAX && creations->began + (int64_t)born * NS_PER_MS <= before;
}

struct plain_profile *creations_profile(const struct creations *creations)
{
    struct profile_type type = profile_types[PROFILE_THREADCREATE];
    type.states = 1 << STATE_CPU; // of our own store, which has nothing else
    const struct query_source source = {
        .profile = creations->profile,
        .modules = creations->modules,
        .symbolizer = creations->symbolizer,
        .type = &type,
    };
    const struct run run = {.type = PROFILE_THREADCREATE, .start_wall = creations->began_wall};
    query_fetch(&source);
    return fill_profile(&source, &run);
}
