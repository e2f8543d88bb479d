// SPDX-License-Identifier: MIT
// States of threads whose switches nobody tells. In a period schedstat says how long a thread ran
// and waited for a CPU, and looks say where it was at some moments: what it ran is shared by the
// looks that found it running and lies around them, behind as much time in the queue; between them
// it was blocked, where the looks found it. So times are true, and edges as good as the looks are.
#include <stdlib.h>

#include "base/mem.h"
#include "collect/recorder_state.h"

void recorder_forget_ticks(struct recorded_thread *thread)
{
    if (!thread->ticks)
        return;
    free(thread->ticks->looks);
    free(thread->ticks);
    thread->ticks = NULL;
}

void recorder_tick(struct recorded_thread *thread, const struct recorder_look *look)
{
    if (!thread->ticks)
        thread->ticks = xcalloc(1, sizeof *thread->ticks);
    struct ticks *ticks = thread->ticks;
    ARRAY_RESERVE(ticks->looks, ticks->count, ticks->capacity);
    ticks->looks[ticks->count++] = *look;
    if (look->state == STATE_BLOCKED)
        ticks->asleep = *look;
}

static int compare_looks(const void *left, const void *right)
{
    const struct recorder_look *a = left, *b = right;
    return (a->time > b->time) - (a->time < b->time);
}

struct tick_sharing {
    struct recorder *recorder;
    struct recorded_thread *thread;
    const struct recorder_look *looks; // in order
    size_t count, next; // next: those before it have been used
    int64_t at, end;    // what is left of the period
};

// Adds a state up to a time. One that goes on is not begun again.
static void add(struct tick_sharing *sharing, enum profile_state state, int64_t until,
                const struct recorder_look *look)
{
    struct timeline_event *last =
        recorder_event(sharing->recorder, sharing->thread, sharing->thread->newest);
    struct timeline_event event = {
        .time = sharing->at,
        .duration = until - sharing->at,
        .state = state,
        .stack = look ? look->stack : 0,
        .labels = look && state == STATE_BLOCKED ? look->wait : 0,
        .cpu = TIMELINE_NONE,
        .woken_by = TIMELINE_NONE,
    };
    if (until <= sharing->at)
        return;
    sharing->at = until;
    if (last && last->time + last->duration == event.time && last->state == state &&
        last->stack == event.stack && last->labels == event.labels)
        last->duration += event.duration;
    else
        recorder_append(sharing->recorder, sharing->thread, event);
}

// Fills the time up to that with where the thread was found blocked. From one look to the next the
// edge lies in the middle.
static void sleep_until(struct tick_sharing *sharing, int64_t until)
{
    const struct recorder_look *last = NULL;
    for (; sharing->next < sharing->count && sharing->looks[sharing->next].time < until;
         sharing->next++) {
        const struct recorder_look *look = &sharing->looks[sharing->next];
        if (look->state != STATE_BLOCKED)
            continue;
        if (last)
            add(sharing, STATE_BLOCKED, last->time + (look->time - last->time) / 2, last);
        last = look;
    }
    add(sharing, STATE_BLOCKED, until, last);
}

static void run(struct tick_sharing *sharing, int64_t queued, int64_t running,
                const struct recorder_look *look)
{
    add(sharing, STATE_QUEUED, sharing->at + queued, look);
    add(sharing, STATE_RUNNING, sharing->at + running, look);
}

static int64_t within(uint64_t ns, int64_t most)
{
    return most < 0 ? 0 : ns < (uint64_t)most ? (int64_t)ns : most;
}

static void share(struct tick_sharing *sharing, int64_t running, int64_t queued)
{
    int64_t left = 0;
    for (size_t i = 0; i < sharing->count; i++)
        left += sharing->looks[i].state == STATE_RUNNING;
    if (!left) { // nobody knows when
        sleep_until(sharing, sharing->end - running - queued);
        run(sharing, queued, running, NULL);
    }
    int64_t turn = left ? running / left : 0, before = left ? queued / left : 0;
    for (size_t i = 0; i < sharing->count; i++) {
        const struct recorder_look *look = &sharing->looks[i];
        if (look->state != STATE_RUNNING)
            continue;
        int64_t begin = look->time - turn / 2 - before;
        int64_t latest = sharing->end - left-- * (turn + before);
        sleep_until(sharing, begin < latest ? begin : latest);
        run(sharing, before, turn, look);
    }
    sleep_until(sharing, sharing->end);
}

void recorder_share(struct recorder *recorder, struct recorded_thread *thread,
                    const struct recorder_period *period)
{
    static struct ticks nothing;
    struct ticks *ticks = thread->ticks ? thread->ticks : &nothing;
    const struct timeline_event *last = recorder_event(recorder, thread, thread->newest);
    struct tick_sharing sharing = {
        .recorder = recorder,
        .thread = thread,
        .looks = ticks->looks,
        .count = ticks->count,
        .at = period->time - (int64_t)period->elapsed,
        .end = period->time,
    };
    if (!period->elapsed)
        return;
    if (last && last->time + last->duration > sharing.at)
        sharing.at = last->time + last->duration;
    if (ticks->count)
        qsort(ticks->looks, ticks->count, sizeof *ticks->looks, compare_looks);
    int64_t running = within(period->running, sharing.end - sharing.at);
    share(&sharing, running, within(period->queued, sharing.end - sharing.at - running));
    ticks->count = 0;
}
