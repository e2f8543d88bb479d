// SPDX-License-Identifier: MIT
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/census_child.h"
#include "sample/orphan.h"
#include "sample/priority.h"
#include "sample/privilege.h"
#include "sample/restart.h"

#define SPIN_NS (20 * NS_PER_US) // in which a thread on another CPU stops
#define OURS_NS (5 * NS_PER_MS) // for which we have been at work when a dump begins
#define NAP_NS (100 * NS_PER_US) // how exactly the time is known at which a thread stopped
#define LOOK_NS NS_PER_MS        // from one check of those that do not stop to the next
#define CHARGED_NS (20 * NS_PER_MS) // by then its run time tells of all before it was asked
#define SPARE 3 // records: one read in place, one more held, and what the ring's end wastes

bool census_ask(struct census *census, struct census_held *held)
{
    struct stop stop = {.tid = held->thread.tid, .owner = held};
    int64_t until = clock_now() + CENSUS_STOP_NS;
    enum rc rc;
    // An exec waits for the ends of threads that we trace, and nobody can attach meanwhile.
    while ((rc = stops_ask(&census->stops, &stop, until)) == RC_LIMIT && clock_now() < until)
        tracer_reap();
    census->blocked |= rc == RC_LIMIT;
    held->look_at = stop.asked_at + CHARGED_NS;
    return rc == RC_OK;
}

// The thread had blocked just before it was stopped: its registers tell where.
static void take_call(struct census_record *record, const struct registers *regs)
{
    record->thread.state = 'S';
    record->thread.call = (struct proc_syscall){
        .number = registers_call(regs), .sp = registers_sp(regs), .pc = registers_pc(regs)};
    registers_arguments(regs, record->thread.call.args);
}

// Returns what the thread did. One that waited for a CPU only since the dump began was displaced by
// us.
static uint32_t judge(const struct census *census, const struct census_held *held,
                      const struct hold *hold, struct census_record *record)
{
    struct schedstat now;
    if (hold->examined != RC_OK)
        return 0;
    if (held->thread.state == 'T' || held->thread.state == 't')
        return CENSUS_HELD | CENSUS_CALL; // stopped by somebody, as it was before
    if (restart_was_asleep(&hold->regs)) {
        take_call(record, &hold->regs);
        return CENSUS_HELD | CENSUS_CALL;
    }
    bool known = in_place_schedstat(census->task_fd, held->thread.tid, &now);
    bool queued = known && hold_was_queued(hold, &held->thread.stat, &now,
                                           census->config->began - OURS_NS);
    if (known)
        record->thread.stat = now; // exact now: the stop made the kernel charge it
    return CENSUS_HELD | CENSUS_RUNNING | (queued ? CENSUS_QUEUED : 0);
}

void census_copy(struct census *census, const struct census_held *held, const struct hold *hold,
                 struct census_record *record, const struct stack_request *request)
{
    hold_sign_of_life(census->control->lives, held->thread.tid);
    record->thread = held->thread;
    record->flags = judge(census, held, hold, record);
    if (record->flags & CENSUS_HELD)
        hold_copy(hold, request, &record->capture);
}

// --- one by one ---

static void take(struct census *census, const struct census_held *held, struct hold *hold)
{
    const struct stack_request request = census_request(census, held->thread.tid);
    census_copy(census, held, hold, census->scratch, &request);
    hold_release(hold, census->control, &census->scratch->capture);
    if (census->scratch->flags & CENSUS_HELD)
        census_tell(census, census->scratch);
    else
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING);
}

// Sleeps until one of them stops, or until then, and takes all that have stopped.
static void collect(struct census *census, int64_t until)
{
    struct hold hold;
    enum tracer_wait now;
    for (; (now = stops_await(&census->stops, until, &hold)) != TRACER_RUNNING; until = 0) {
        if (now == TRACER_STOPPED)
            take(census, hold.asked->owner, &hold);
        if (now == TRACER_GONE || hold.released) // else it was killed: its end will be seen
            stops_remove(&census->stops, hold.asked);
    }
}

// A thread that did not stop in time is not waited for, and let go when it stops after all.
static void give_up(struct census *census, struct stop *stop, uint32_t why)
{
    const struct census_held *held = stop->owner;
    stops_remove(&census->stops, stop);
    census_tell_unheld(census, &held->thread, CENSUS_RUNNING | why);
}

static void give_up_all(struct census *census, uint32_t why)
{
    while (census->stops.count)
        give_up(census, census->stops.pending, why);
}

static bool is_runnable(const struct census *census, pid_t tid)
{
    struct proc_stat stat;
    return procfs_stat(census->config->pid, tid, &stat) == RC_OK && stat.state == 'R';
}

// A thread that got a CPU after it was asked, and did not stop there, is inside the kernel and may
// be for long; so is one in an uninterruptible sleep. One that got no CPU stops as soon as it does.
static bool runs_on(struct census *census, struct census_held *held, int64_t now)
{
    struct schedstat stat;
    pid_t tid = held->thread.tid;
    if (now < held->look_at || !in_place_schedstat(census->task_fd, tid, &stat))
        return false;
    bool ran = held->run_ns && (stat.run_ns != held->run_ns || !is_runnable(census, tid));
    held->run_ns = stat.run_ns;
    held->look_at = now + CENSUS_STOP_NS;
    return ran;
}

static void give_up_some(struct census *census, int64_t now)
{
    struct stops *stops = &census->stops;
    for (size_t i = 0; i < stops->count; i++) {
        struct census_held *held = stops->pending[i].owner;
        held->runs_on = runs_on(census, held, now);
    }
    collect(census, 0); // who ran only until it stopped
    for (size_t i = stops->count; i-- > 0;)
        if (((const struct census_held *)stops->pending[i].owner)->runs_on)
            give_up(census, &stops->pending[i], CENSUS_UNSTOPPED);
    if (census_is_over(census))
        give_up_all(census, CENSUS_STARVED);
}

// Collects until at most `most` are pending.
static void collect_down_to(struct census *census, size_t most)
{
    int64_t looked_at = 0;
    for (int64_t now = clock_now(); census->stops.count > most; now = clock_now()) {
        orphan_promise(now);
        collect(census, now + NAP_NS);
        if (now - looked_at < LOOK_NS)
            continue;
        looked_at = now;
        give_up_some(census, now);
    }
}

// Waits until all that are pending and one more have room in the ring. A thread that stops
// meanwhile has room, and is collected; nobody is held while we wait for the main process.
static void await_room(struct census *census)
{
    struct stops *stops = &census->stops;
    int64_t deadline = clock_now() + CENSUS_STOP_NS;
    for (int64_t now; stops->count && !census_has_room(census, stops->count + SPARE);) {
        if ((now = clock_now()) >= deadline)
            give_up_all(census, CENSUS_UNSTOPPED);
        eventfd_write(census->control->wake_fd, 1);
        collect(census, now + NAP_NS);
    }
    while (!census_has_room(census, SPARE))
        census_nap(census);
}

// Returns how many may be pending: as many as have room in the ring.
static size_t most_pending(const struct census *census)
{
    size_t records = census->control->ring.size /
                     (sizeof(struct census_record) + census->config->stack_room);
    if (records <= SPARE + 1)
        return 1;
    return records - SPARE - 1 < STOPS_MOST ? records - SPARE - 1 : STOPS_MOST;
}

// Asks a thread to stop only if it still runs; one that sleeps by now is read in place after all.
// late: nobody is asked any more.
static void begin(struct census *census, pid_t tid, struct census_held *held, bool late)
{
    enum in_place now = census_read(census, tid);
    bool sleeps = now == IN_PLACE_READ || now == IN_PLACE_MOVED;
    held->thread = census->scratch->thread;
    if (!sleeps && now != IN_PLACE_RUNNING)
        return;
    if (sleeps && !census->config->asleep)
        census_tell(census, census->scratch);
    else if (!thread_filter_matches(census->config->threads, held->thread.comm))
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING);
    else if (late)
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING | CENSUS_STARVED);
    else if (!census_ask(census, held))
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING | CENSUS_REFUSED);
}

// A thread that runs on another CPU stops sooner than we could sleep and be woken.
static void spin(struct census *census, size_t before)
{
    int64_t until = clock_now() + SPIN_NS;
    do
        collect(census, 0);
    while (census->stops.count > before && clock_now() < until);
}

void census_one_by_one(struct census *census, const pid_t *tids, size_t count)
{
    AUTO_FREE struct census_held *held = xcalloc(count + 1, sizeof *held);
    size_t most = most_pending(census);
    stops_init(&census->stops, census->control, census->control->lives, census->config->filtered,
               STOPS_MOST);
    if (count)
        priority_raise();
    privilege_drop_nice();
    for (size_t i = 0; i < count; i++) {
        await_room(census);
        size_t before = census->stops.count;
        begin(census, tids[i], &held[i], census->blocked || census_is_over(census));
        spin(census, before);
        collect_down_to(census, most - 1);
    }
    collect_down_to(census, 0);
}
