// SPDX-License-Identifier: MIT
#include "sample/stops.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"

#define SIGN_NS (10 * NS_PER_MS)  // between two signs of life while somebody is waited for
#define READ_NS (500 * NS_PER_MS) // that a read may take longer than a hold

void stops_init(struct stops *stops, struct control *control, struct sign_of_life *life,
                bool filtered, size_t most)
{
    *stops = (struct stops){.control = control, .life = life, .filtered = filtered, .most = most,
                            .pending = xcalloc(most, sizeof *stops->pending)};
}

void stops_fini(struct stops *stops)
{
    atomic_store(&stops->life->busy_since, 0);
    free(stops->pending);
}

static void guard(struct stops *stops, int64_t until)
{
    if (until != stops->guard_at)
        tracer_guard(until);
    stops->guard_at = until;
}

enum rc stops_ask(struct stops *stops, struct stop *stop, int64_t until)
{
    int64_t patience = clock_now() + SIGN_NS;
    if (stops->count == stops->most)
        return RC_LIMIT;
    hold_sign_of_life(stops->life, stop->tid);
    guard(stops, patience < until ? patience : until);
    enum rc rc = tracer_attach(stop->tid);
    stop->asked_at = clock_now();
    if (rc == RC_OK)
        stops->pending[stops->count++] = *stop;
    return rc;
}

void stops_remove(struct stops *stops, struct stop *stop)
{
    *stop = stops->pending[--stops->count];
    stops_rest(stops);
}

// After an exec by a thread that was not the first, the thread goes by the number of its process,
// and is still ours. The thread that had this number before is gone.
static struct stop *find(const struct stops *stops, pid_t tid)
{
    for (size_t i = 0; i < stops->count; i++)
        if (stops->pending[i].tid == tid)
            return &stops->pending[i];
    for (size_t i = 0; i < stops->count; i++)
        if (stops->pending[i].pid == tid)
            return &stops->pending[i];
    return NULL;
}

// Asked for any thread, the kernel would report those that are kept again and again.
static enum tracer_wait await_each(struct stops *stops, int64_t until, struct hold *hold)
{
    enum tracer_wait now = TRACER_RUNNING;
    for (size_t i = 0; i < stops->count && now == TRACER_RUNNING; i++) {
        bool last = i + 1 == stops->count;
        stops->next = stops->next + 1 < stops->count ? stops->next + 1 : 0;
        hold->asked = &stops->pending[stops->next];
        now = tracer_await(hold->asked->tid, last ? until : 0, &hold->stop);
    }
    return now;
}

static enum tracer_wait await_any(struct stops *stops, int64_t until, struct hold *hold)
{
    enum tracer_wait now;
    while ((now = tracer_await(0, until, &hold->stop)) != TRACER_RUNNING) {
        // If none is ours any more, the pending ones have ended.
        hold->asked = hold->stop.tid ? find(stops, hold->stop.tid) : stops->pending;
        if (hold->asked)
            break;
        if (now == TRACER_STOPPED)
            hold_undo(&hold->stop, stops->control, stops->filtered);
    }
    return now;
}

static void examine(struct stops *stops, struct hold *hold)
{
    int64_t asked_at = hold->asked->asked_at;
    hold_sign_of_life(stops->life, hold->stop.tid);
    hold_examine(hold, stops->control, stops->filtered);
    hold->since = asked_at > stops->waits_since ? asked_at : stops->waits_since;
}

enum tracer_wait stops_await(struct stops *stops, int64_t until, struct hold *hold)
{
    enum tracer_wait now = TRACER_RUNNING;
    bool over = false;
    while (stops->count && now == TRACER_RUNNING && !over) {
        int64_t began = clock_now(), sign = began + SIGN_NS, at = sign < until ? sign : until;
        bool guarded = stops->guard_at > began && stops->guard_at <= at;
        over = began >= until; // threads that stopped long ago are seen all the same
        if (!over) {
            guard(stops, guarded ? stops->guard_at : at);
            stops->waits_since = began;
        }
        now = (stops->keeps ? await_each : await_any)(stops, over ? until : stops->guard_at, hold);
        if (now == TRACER_RUNNING) {
            stops->waits_since = began;
            hold_sign_of_life(stops->life, stops->pending[0].tid);
        }
    }
    if (now == TRACER_STOPPED)
        examine(stops, hold);
    if (now == TRACER_RUNNING)
        guard(stops, 0);
    return now;
}

void stops_drain(struct stops *stops, int64_t until)
{
    struct tracer_hold stop;
    enum tracer_wait now;
    guard(stops, until);
    while ((now = tracer_await(0, until, &stop)) != TRACER_RUNNING && stop.tid)
        if (now == TRACER_STOPPED)
            hold_undo(&stop, stops->control, stops->filtered);
    guard(stops, 0);
}

void stops_begin_read(struct stops *stops, pid_t tid)
{
    atomic_store(&stops->life->only_reads, !stops->count);
    hold_sign_of_life(stops->life, tid);
    if (!stops->count)
        atomic_store(&stops->life->busy_since, clock_now() + READ_NS);
}

void stops_end_read(struct stops *stops)
{
    stops_rest(stops);
    atomic_store(&stops->life->only_reads, 0);
}

void stops_rest(struct stops *stops)
{
    if (!stops->count && !stops->keeps)
        atomic_store(&stops->life->busy_since, 0);
}
