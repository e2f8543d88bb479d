// SPDX-License-Identifier: MIT
// Holds all threads at one moment. Memory for all copies is there before the first one is asked to
// stop.
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/census_child.h"
#include "sample/orphan.h"
#include "sample/priority.h"
#include "sample/privilege.h"

#define PASSES 5 // over the list of threads at most, until it holds no new one
#define LATECOMER_STACK (16u << 10)
#define MEMORY_MOST (1ull << 30) // bytes, for the copies of all stacks
#define PATIENCE_NS (5 * NS_PER_MS) // with a thread in an uninterruptible sleep

struct stopped_slot {
    struct census_held held; // the first member: it owns the request to stop
    struct hold hold;
    bool asked, stopped;
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
    stops_init(&census->stops, census->control, census->control->lives, census->config->filtered,
               together->capacity);
    census->stops.keeps = true;
    together->memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    together->limit = together->memory + bytes;
    return together->memory != MAP_FAILED;
}

// A thread in an uninterruptible sleep will hardly stop: what can be read in place has to do.
static void prepare_unstoppable(struct together *together, struct stopped_slot *slot, pid_t tid)
{
    struct census_record *record = slot->record;
    if (in_place_read(together->census->task_fd, tid, &together->census->sleep, &record->thread,
                      &record->capture, &slot->request) == IN_PLACE_READ)
        record->flags = CENSUS_CALL;
}

// Reads what can be known of a thread before it stops. Returns false when there is no memory for
// it.
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
    census_gets_on(together->census, tid);
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
    for (size_t i = from; i < together->count; i++) {
        struct stopped_slot *slot = &together->slots[i];
        slot->asked = census_ask(together->census, &slot->held);
        slot->flags |= slot->asked ? 0 : CENSUS_REFUSED;
    }
}

static void note_stopped(struct together *together, int64_t until)
{
    struct stops *stops = &together->census->stops;
    struct hold hold;
    enum tracer_wait now;
    while ((now = stops_await(stops, until, &hold)) != TRACER_RUNNING) {
        struct stopped_slot *slot = hold.asked->owner;
        slot->hold = hold;
        slot->stopped = now == TRACER_STOPPED;
        slot->asked = slot->stopped;
        stops_remove(stops, hold.asked);
    }
}

// Returns whether somebody is still to be waited for.
static bool is_any_missing(const struct together *together, int64_t waited)
{
    const struct stops *stops = &together->census->stops;
    bool missing = false;
    for (size_t i = 0; i < stops->count && !missing; i++) {
        const struct stopped_slot *slot = stops->pending[i].owner;
        missing = slot->held.thread.state != 'D' || waited < PATIENCE_NS;
    }
    return missing && waited < CENSUS_STOP_NS && !atomic_load(&together->census->control->stop);
}

// A thread that does not stop costs the others that time once, however many passes there are.
static void await_all(struct together *together)
{
    int64_t now;
    do {
        now = clock_now();
        orphan_promise(now);
        note_stopped(together, now + NS_PER_MS);
    } while (is_any_missing(together, clock_now() - together->since));
}

// Threads that begin while others stop are stopped too.
static void stop_all(struct together *together)
{
    struct census *census = together->census;
    for (size_t pass = 0, from = 0, listed = census->count; pass < PASSES; pass++) {
        ask_from(together, from);
        await_all(together);
        from = together->count;
        census_list(census);
        if (listed == census->count)
            return;
        for (; listed < census->count; listed++)
            if (!prepare(together, census->tids[listed], LATECOMER_STACK))
                return;
    }
}

static void copy_all(struct together *together)
{
    for (size_t i = 0; i < together->count; i++) {
        struct stopped_slot *slot = &together->slots[i];
        slot->hold.since = together->since;
        if (slot->stopped)
            census_copy(together->census, &slot->held, &slot->hold, slot->record, &slot->request);
        else if (slot->asked)
            slot->flags |= CENSUS_UNSTOPPED;
    }
}

static void release_all(struct together *together)
{
    struct control *control = together->census->control;
    struct stops *stops = &together->census->stops;
    for (size_t i = 0; i < together->count; i++)
        if (together->slots[i].stopped)
            hold_release(&together->slots[i].hold, control, NULL);
    while (stops->count)
        stops_remove(stops, stops->pending);
    stops->keeps = false;
    stops_rest(stops);
    histogram_add(&control->held, (uint64_t)(clock_now() - together->since));
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
