// SPDX-License-Identifier: MIT
// Looks give their stacks to events.
#include "collect/recorder_state.h"
#include "profile/fill.h"

// A thread that we displaced and asked to stop comes back onto its CPU only to stop, which takes
// less than that.
#define STOPPING_NS 50000

// Returns the number of the newest event that had begun by then, or -1.
static int64_t find(const struct recorder *recorder, struct recorded_thread *thread, int64_t time)
{
    int64_t number = thread->newest;
    const struct timeline_event *event;
    while ((event = recorder_event(recorder, thread, number)) && event->time > time)
        number = recorder_before(recorder, number);
    return event ? number : -1;
}

static void give(struct timeline_event *event, uint32_t stack)
{
    event->stack = event->stack ? event->stack : stack;
}

static void place_blocked(struct recorder *recorder, struct timeline_event *event,
                          const struct recorder_look *look)
{
    const struct recorded_thread *owner =
        look->owner ? recorder_thread(recorder, look->owner) : NULL;
    give(event, look->stack);
    event->labels = look->wait ? look->wait : event->labels;
    if (owner)
        event->woken_by = (uint32_t)(owner - recorder->threads);
}

// Gives the stack to the last turn on a CPU, which we ended by displacing the thread. When it comes
// back only to stop, that is a second turn at the same place.
static bool place_turn(const struct recorder *recorder, struct recorded_thread *thread,
                       int64_t number, uint32_t stack)
{
    struct timeline_event *event;
    while ((event = recorder_event(recorder, thread, number)) && event->state != STATE_RUNNING)
        number = recorder_before(recorder, number);
    if (!event)
        return false;
    bool long_enough = event->duration > STOPPING_NS;
    give(event, stack);
    number = recorder_before(recorder, number);
    event = long_enough ? NULL : recorder_event(recorder, thread, number);
    if (!event || event->state != STATE_QUEUED)
        return true;
    give(event, stack);
    event = recorder_event(recorder, thread, recorder_before(recorder, number));
    if (event && event->state == STATE_RUNNING)
        give(event, stack);
    return true;
}

// Where a sample was taken the thread is stopped by us, unless it had just gone to sleep by itself.
static bool place_sample(const struct recorder *recorder, struct recorded_thread *thread,
                         int64_t number, const struct recorder_look *look)
{
    struct timeline_event *event = recorder_event(recorder, thread, number);
    if (event->state == STATE_BLOCKED) {
        give(event, look->stack);
        if (!event->labels && look->stopped)
            event->labels = FILL_STOPPED;
    }
    return place_turn(recorder, thread, number, look->stack);
}

static bool try_to_place(struct recorder *recorder, const struct recorder_look *look)
{
    struct recorded_thread *thread = recorder_thread(recorder, look->tid);
    int64_t number = thread ? find(recorder, thread, look->time) : -1;
    struct timeline_event *event =
        number < 0 ? NULL : recorder_event(recorder, thread, number);
    bool open = event && thread->open && number == thread->newest;
    if (!event || (!open && look->time >= event->time + event->duration))
        return false;
    if (look->state == STATE_RUNNING)
        return place_sample(recorder, thread, number, look);
    if (event->state != STATE_BLOCKED)
        return false;
    place_blocked(recorder, event, look);
    return true;
}

// A thread that slept when its switches began to be told, and has done so since it was looked at
// before, sleeps where that look found it.
void recorder_still(struct recorder *recorder, struct recorded_thread *thread)
{
    struct timeline_event *event = recorder_event(recorder, thread, thread->newest);
    if (!thread->listed)
        recorder_tick(thread, &thread->ticks->asleep);
    else if (thread->guessed && thread->sleeps && event && !event->stack)
        place_blocked(recorder, event, &thread->ticks->asleep);
}

void recorder_place(struct recorder *recorder, const struct recorder_look *look)
{
    recorder->unplaced += !try_to_place(recorder, look);
}
