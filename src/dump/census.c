// SPDX-License-Identifier: MIT
#include "dump/census.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/census_child.h"
#include "process/maps.h"
#include "sample/orphan.h"
#include "sample/sampler.h"

#define TRIES 3 // to read a thread that moves

struct stack_request census_request(const struct census *census, pid_t tid)
{
    static const struct stack_plan nothing_known;
    const struct census_config *config = census->config;
    uint32_t number = config->plan_of ? map_get(config->plan_of, (uint64_t)tid, 0) : 0;
    struct stack_request request = {.plan = number ? &config->plans[number - 1] : &nothing_known,
                                    .pages = census->pages};
    size_t room = stack_plan_room(request.plan);
    request.room = room < config->stack_room ? room : config->stack_room;
    return request;
}

static void list_one(void *context, pid_t tid)
{
    struct census *census = context;
    const struct map *done = census->config->done;
    if ((done && map_get(done, (uint64_t)tid, 0)) || map_get(&census->listed, (uint64_t)tid, 0))
        return;
    map_put(&census->listed, (uint64_t)tid, 1);
    ARRAY_RESERVE(census->tids, census->count, census->capacity);
    census->tids[census->count++] = tid;
}

void census_list(struct census *census)
{
    const struct census_config *config = census->config;
    for (size_t i = 0; i < config->tid_count; i++)
        list_one(census, config->tids[i]);
    if (!config->tids && procfs_each_number(census->task_fd, list_one, census) != RC_OK)
        return; // it is gone, and so are those that were listed
}

bool census_has_room(const struct census *census, size_t records)
{
    const struct ring *ring = &census->control->ring;
    size_t wanted = records * (sizeof(struct census_record) + census->config->stack_room);
    return ring->size - (atomic_load(&ring->reserved) - atomic_load(&ring->consumed)) >= wanted;
}

void census_nap(struct census *census)
{
    struct timespec moment = {.tv_nsec = 100 * NS_PER_US};
    eventfd_write(census->control->wake_fd, 1);
    clock_nanosleep(CLOCK_MONOTONIC, 0, &moment, NULL);
    stops_drain(&census->stops, 0);
    if (!atomic_load(&census->control->stop)) // else the main process may be gone
        orphan_promise(clock_now());
}

void census_gets_on(struct census *census, pid_t tid)
{
    atomic_store(&census->control->lives->busy_with, tid);
    orphan_promise(clock_now());
}

bool census_is_over(const struct census *census)
{
    return clock_now() >= census->config->deadline || atomic_load(&census->control->stop);
}

static pid_t inner_tid(const struct census *census, pid_t tid)
{
    struct proc_status status;
    if (!census->config->inner_tids)
        return tid;
    return procfs_status(tid, &status) == RC_OK ? status.inner_pid : 0;
}

void census_tell(struct census *census, struct census_record *record)
{
    struct ring *ring = &census->control->ring;
    size_t length = sizeof *record + stack_capture_bytes(&record->capture);
    struct record *room;
    record->inner_tid = inner_tid(census, record->thread.tid);
    while (!(room = ring_reserve(ring, length)))
        census_nap(census);
    memcpy(room + 1, &record->record + 1, length - sizeof *room);
    ring_commit(room, CENSUS_RECORD);
}

void census_tell_unheld(struct census *census, const struct in_place_thread *thread,
                        uint32_t flags)
{
    struct census_record record = {.thread = *thread, .flags = flags};
    census_tell(census, &record);
}

enum in_place census_read(struct census *census, pid_t tid)
{
    struct census_record *record = census->scratch;
    const struct stack_request request = census_request(census, tid);
    census_gets_on(census, tid);
    enum in_place now = in_place_read(census->task_fd, tid, &census->sleep, &record->thread,
                                      &record->capture, &request);
    record->flags = CENSUS_CALL | (now == IN_PLACE_MOVED ? CENSUS_MOVED : 0);
    return now;
}

// Returns whether the thread has to be stopped.
static bool read_in_place(struct census *census, pid_t tid)
{
    enum in_place now = IN_PLACE_MOVED;
    for (int i = 0; i < TRIES && now == IN_PLACE_MOVED; i++)
        now = census_read(census, tid);
    if (now == IN_PLACE_DENIED)
        census_tell_unheld(census, &census->scratch->thread, CENSUS_DENIED);
    if (now == IN_PLACE_READ || now == IN_PLACE_MOVED)
        census_tell(census, census->scratch);
    return now == IN_PLACE_RUNNING;
}

static void take_all(struct census *census)
{
    size_t running = census->config->asleep ? census->count : 0;
    for (size_t i = running; i < census->count; i++)
        if (read_in_place(census, census->tids[i]))
            census->tids[running++] = census->tids[i];
    census_one_by_one(census, census->tids, running);
}

static void run_census(struct control *control, const void *argument)
{
    const struct census_config *config = argument;
    struct census census = {.control = control, .config = config};
    struct err err = {0};
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", (int)config->pid);
    if (tracer_begin_thread(&err) != RC_OK)
        return; // `ended` stays unset, as below: the process is gone, or there is no memory
    orphan_prepare(control);
    census.task_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    census.scratch = mmap(NULL, sizeof *census.scratch + config->stack_room, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (census.task_fd < 0 || census.scratch == MAP_FAILED)
        return;
    // All pages are faulted in before anybody is held.
    memset(census.scratch, 0, sizeof *census.scratch + config->stack_room);
    sleep_clock_init(&census.sleep, config->cpus);
    census_list(&census);
    census.pages = (struct stack_pages){maps_file_open(census.task_fd, config->pid, "pagemap"),
                                        config->mappings};
    if (config->together)
        census_together(&census);
    else
        take_all(&census);
    atomic_store(&control->ended, 1);
    eventfd_write(control->wake_fd, 1);
    stops_drain(&census.stops, atomic_load(&control->stop) ? clock_now() + STOPS_DRAIN_NS : 0);
}

enum rc census_start(struct control *control, const struct census_config *config, pid_t *child,
                     struct err *err)
{
    atomic_store(&control->ended, 0);
    atomic_store(&control->lives->busy_with, 0);
    return sampler_fork(control, run_census, config, child, err);
}
