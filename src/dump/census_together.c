// SPDX-License-Identifier: MIT
// All threads at one moment. Memory for all copies is there before the first one is asked to stop.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/census_child.h"
#include "sample/priority.h"
#include "sample/privilege.h"

#define PASSES 5 // over the list of threads, until it holds no new one
#define LATECOMER_STACK (16u << 10)
#define MEMORY_MOST (1ull << 30) // bytes, for the copies of all stacks
#define PATIENCE_NS (5 * NS_PER_MS) // with a thread in an uninterruptible sleep

struct stopped_slot {
    struct census_held held;
    struct census_record *record;
    struct stack_request request;
    uint32_t flags; // of one that could not be held
};

struct together {
    struct census *census;
    struct stopped_slot *slots;
    size_t count, capacity;
    char *memory, *limit; // free
    int64_t since;        // the first one was asked, CLOCK_MONOTONIC ns
};

static size_t record_size(size_t room)
{
    return (sizeof(struct census_record) + room + 15) & ~(size_t)15;
}

static bool reserve(struct together *together)
{
    struct census *census = together->census;
    size_t latecomers = 64 + census->count / 8, bytes = latecomers * record_size(LATECOMER_STACK);
    for (size_t i = 0; i < census->count; i++)
        bytes += record_size(census_request(census, census->tids[i]).room);
    if (bytes > MEMORY_MOST)
        return false;
    together->capacity = census->count + latecomers;
    together->slots = xcalloc(together->capacity, sizeof *together->slots);
    census->abandoned = xcalloc(together->capacity, sizeof *census->abandoned);
    together->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    together->limit = together->memory + bytes;
    return together->memory != MAP_FAILED;
}

// In an uninterruptible sleep it will hardly stop: what can be read in place has to do.
static void prepare_unstoppable(struct together *together, struct stopped_slot *slot, pid_t tid)
{
    struct census_record *record = slot->record;
    if (in_place_read(together->census->task_fd, tid, &together->census->sleep, &record->thread,
                      &record->capture, &slot->request) == IN_PLACE_READ)
        record->flags = CENSUS_CALL;
}

// What is known of a thread before it stops. False: there is no memory for it.
static bool prepare(struct together *together, pid_t tid, size_t most)
{
    struct stopped_slot *slot = &together->slots[together->count];
    struct stack_request request = census_request(together->census, tid), nothing = {0};
    request.room = request.room < most ? request.room : most;
    size_t size = record_size(request.room);
    if (together->count == together->capacity ||
        size > (size_t)(together->limit - together->memory))
        return false;
    slot->record = (struct census_record *)(void *)together->memory;
    slot->request = request;
    atomic_store(&together->census->control->lives->busy_with, tid); // it gets on
    enum in_place now =
        in_place_read(together->census->task_fd, tid, &together->census->sleep,
                      &slot->held.thread, &slot->record->capture, &nothing);
    if (now == IN_PLACE_GONE)
        return true;
    slot->flags = now == IN_PLACE_DENIED ? CENSUS_DENIED : CENSUS_RUNNING;
    if (now == IN_PLACE_READ && slot->held.thread.state == 'D')
        prepare_unstoppable(together, slot, tid);
    together->memory += size;
    together->count++;
    return true;
}

static void ask_from(struct together *together, size_t from)
{
    if (!together->since)
        together->since = clock_now();
    for (size_t i = from; i < together->count; i++)
        if (!census_ask(together->census, &together->slots[i].held))
            together->slots[i].flags |= CENSUS_REFUSED;
}

static bool is_running(struct together *together, struct census_held *held)
{
    return held->interrupted && !census_stopped(together->census, held, 0) && held->interrupted;
}

// Those that are still to be waited for.
static size_t count_running(struct together *together, int64_t waited)
{
    size_t running = 0;
    for (size_t i = 0; i < together->count; i++) {
        struct census_held *held = &together->slots[i].held;
        if (is_running(together, held))
            running += held->thread.state != 'D' || waited < PATIENCE_NS;
    }
    return running;
}

// One that does not stop costs the others that time once, however many passes there are.
static void await_all(struct together *together)
{
    int64_t waited = clock_now() - together->since;
    while (count_running(together, waited) && waited < CENSUS_STOP_NS) {
        tracer_sleep(clock_now() + NS_PER_MS);
        waited = clock_now() - together->since;
    }
}

// Threads that begin while others stop are stopped too.
static void stop_all(struct together *together)
{
    struct census *census = together->census;
    for (size_t pass = 0, from = 0, met = census->count; pass < PASSES; pass++) {
        ask_from(together, from);
        await_all(together);
        from = together->count;
        census_list(census);
        if (met == census->count)
            return;
        for (; met < census->count; met++)
            if (!prepare(together, census->tids[met], LATECOMER_STACK))
                return;
    }
}

static void copy_all(struct together *together)
{
    for (size_t i = 0; i < together->count; i++) {
        struct stopped_slot *slot = &together->slots[i];
        slot->held.hold.since = together->since;
        if (slot->held.stopped)
            census_copy(together->census, &slot->held, slot->record, &slot->request);
        else if (slot->held.interrupted)
            slot->flags |= CENSUS_UNSTOPPED;
    }
}

static void release_all(struct together *together)
{
    for (size_t i = 0; i < together->count; i++) {
        struct census_held *held = &together->slots[i].held;
        if (held->stopped)
            hold_release(&held->hold, together->census->control, NULL);
        else
            census_abandon(together->census, held);
    }
    struct control *control = together->census->control;
    histogram_add(&control->held, (uint64_t)(clock_now() - together->since));
    atomic_store(&control->lives->busy_since, 0);
}

static void tell_all(struct together *together)
{
    struct census *census = together->census;
    for (size_t i = 0; i < together->count; i++) {
        struct stopped_slot *slot = &together->slots[i];
        if (!(slot->record->flags & CENSUS_HELD)) {
            if (slot->record->flags & CENSUS_CALL)
                census_tell(census, slot->record);
            else
                census_tell_unheld(census, &slot->held.thread, slot->flags);
            continue;
        }
        slot->record->capture.held_ns = (uint32_t)census->control->held.max;
        census_tell(census, slot->record);
    }
}

void census_together(struct census *census)
{
    struct together together = {.census = census};
    if (!reserve(&together))
        return;
    for (size_t i = 0; i < census->count; i++)
        if (!prepare(&together, census->tids[i], STACK_ROOM))
            return;
    priority_raise();
    privilege_drop_nice();
    stop_all(&together);
    copy_all(&together);
    release_all(&together);
    tell_all(&together);
}
