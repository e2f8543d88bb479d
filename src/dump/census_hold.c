// SPDX-License-Identifier: MIT
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dump/census_child.h"
#include "sample/priority.h"
#include "sample/privilege.h"
#include "sample/restart.h"

#define SPIN_NS (20 * NS_PER_US) // that a thread on another CPU takes to stop
#define OURS_NS (5 * NS_PER_MS) // that we are at work before a dump begins
#define NAP_NS (100 * NS_PER_US) // how exactly the time is known at which a thread stopped
#define LOOK_NS NS_PER_MS        // from look to look at those that do not stop
#define CHARGED_NS (20 * NS_PER_MS) // by then its run time tells of all before it was asked
#define PENDING_MAX 64
#define SPARE 3 // records: one read in place, one more held, and what the ring's end wastes

bool census_ask(struct census *census, struct census_held *held)
{
    pid_t tid = held->thread.tid;
    held->interrupted = held->stopped = false;
    if (tracer_seize(tid, true) != RC_OK)
        return false;
    hold_sign_of_life(census->control->lives, tid);
    held->asked_at = clock_now();
    held->look_at = held->asked_at + CHARGED_NS;
    held->run_ns = 0;
    held->interrupted = tracer_interrupt(tid);
    return held->interrupted;
}

bool census_stopped(struct census *census, struct census_held *held, int64_t spin_ns)
{
    if (held->stopped)
        return true;
    hold_sign_of_life(census->control->lives, held->thread.tid);
    enum tracer_wait now = tracer_wait(held->thread.tid, spin_ns, &held->hold.stop);
    held->stopped = now == TRACER_STOPPED;
    held->interrupted = now != TRACER_GONE;
    if (held->stopped)
        hold_examine(&held->hold, census->control, census->config->filtered);
    return held->stopped;
}

// It had blocked just before it was stopped: where, its registers tell.
static void take_call(struct census_record *record, const struct registers *regs)
{
    record->thread.state = 'S';
    record->thread.call = (struct proc_syscall){
        .number = registers_call(regs), .sp = registers_sp(regs), .pc = registers_pc(regs)};
    registers_arguments(regs, record->thread.call.args);
}

// What the thread did. One that waited for a CPU only since the dump began was displaced by us.
static uint32_t judge(const struct census *census, const struct census_held *held,
                      struct census_record *record)
{
    struct schedstat now;
    if (held->hold.examined != RC_OK)
        return 0;
    if (held->thread.state == 'T' || held->thread.state == 't')
        return CENSUS_HELD | CENSUS_CALL; // stopped by somebody, as it was before
    if (restart_was_asleep(&held->hold.regs)) {
        take_call(record, &held->hold.regs);
        return CENSUS_HELD | CENSUS_CALL;
    }
    bool known = in_place_schedstat(census->task_fd, held->thread.tid, &now);
    bool queued = known && hold_was_queued(&held->hold, &held->thread.stat, &now,
                                           census->config->began - OURS_NS);
    if (known)
        record->thread.stat = now; // exact now: the stop made the kernel charge it
    return CENSUS_HELD | CENSUS_RUNNING | (queued ? CENSUS_QUEUED : 0);
}

void census_copy(struct census *census, struct census_held *held, struct census_record *record,
                 const struct stack_request *request)
{
    hold_sign_of_life(census->control->lives, held->thread.tid);
    record->thread = held->thread;
    record->flags = judge(census, held, record);
    if (record->flags & CENSUS_HELD)
        hold_copy(&held->hold, request, &record->capture);
}

void census_abandon(struct census *census, struct census_held *held)
{
    if (held->interrupted)
        census->abandoned[census->abandoned_count++] = held->thread.tid;
    held->interrupted = false;
}

static bool release_late(struct census *census, pid_t tid)
{
    struct tracer_hold stop;
    enum tracer_wait now = tracer_wait(tid, 0, &stop);
    return now == TRACER_STOPPED ? hold_undo(&stop, census->control, census->config->filtered)
                                 : now == TRACER_GONE;
}

void census_release_abandoned(struct census *census)
{
    size_t kept = 0;
    for (size_t i = 0; i < census->abandoned_count; i++)
        if (!release_late(census, census->abandoned[i]))
            census->abandoned[kept++] = census->abandoned[i];
    census->abandoned_count = kept;
    release_late(census, census->config->pid); // the number of a thread that has called exec
}

// --- one by one ---

// False while it has not stopped. `since`: it had not at that time.
static bool collect(struct census *census, struct census_held *held, int64_t spin_ns,
                    int64_t since)
{
    if (!census_stopped(census, held, spin_ns))
        return !held->interrupted;
    const struct stack_request request = census_request(census, held->thread.tid);
    held->hold.since = since;
    census_copy(census, held, census->scratch, &request);
    hold_release(&held->hold, census->control, &census->scratch->capture);
    if (census->scratch->flags & CENSUS_HELD)
        census_tell(census, census->scratch);
    else
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING);
    return true;
}

static void collect_all(struct census *census, struct census_held *pending, size_t *count,
                        int64_t since)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++)
        if (!collect(census, &pending[i], 0, since))
            pending[kept++] = pending[i];
    *count = kept;
    if (!kept)
        atomic_store(&census->control->lives->busy_since, 0);
}

static void give_up(struct census *census, struct census_held *held, uint32_t why)
{
    census_abandon(census, held);
    census_tell_unheld(census, &held->thread, CENSUS_RUNNING | why);
}

static void give_up_all(struct census *census, struct census_held *pending, size_t *count,
                        uint32_t why)
{
    for (size_t i = 0; i < *count; i++)
        give_up(census, &pending[i], why);
    *count = 0;
    atomic_store(&census->control->lives->busy_since, 0);
}

static bool is_runnable(const struct census *census, pid_t tid)
{
    struct proc_stat stat;
    return procfs_stat(census->config->pid, tid, &stat) == RC_OK && stat.state == 'R';
}

// Whoever got a CPU after it was asked, and did not stop there, is inside the kernel and may be for
// long; so is one in an uninterruptible sleep. One that got no CPU stops as soon as it does.
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

// No running thread is waited for any more.
static bool is_over(const struct census *census, int64_t now)
{
    return now >= census->config->deadline || atomic_load(&census->control->stop);
}

static void give_up_some(struct census *census, struct census_held *pending, size_t *count,
                         int64_t now)
{
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        // Stopped or gone by now, it is the next one to be collected.
        bool stuck = runs_on(census, &pending[i], now) &&
                     !census_stopped(census, &pending[i], 0) && pending[i].interrupted;
        if (stuck)
            give_up(census, &pending[i], CENSUS_UNSTOPPED);
        else
            pending[kept++] = pending[i];
    }
    *count = kept;
    if (!kept || is_over(census, now))
        give_up_all(census, pending, count, CENSUS_STARVED);
}

// Sleeps until one of them stops, and so on until at most `most` are left.
static void collect_down_to(struct census *census, struct census_held *pending, size_t *count,
                            size_t most)
{
    int64_t looked_at = 0;
    for (int64_t now = clock_now(); *count > most; now = clock_now()) {
        if (!tracer_sleep(now + NAP_NS) && now - looked_at < LOOK_NS)
            continue;
        looked_at = now;
        collect_all(census, pending, count, now);
        give_up_some(census, pending, count, now);
    }
}

// Waits until all that are pending and one more have room in the ring. What stops meanwhile has
// it, and is collected; nobody is held while the main process is waited for.
static void await_room(struct census *census, struct census_held *pending, size_t *count)
{
    int64_t deadline = clock_now() + CENSUS_STOP_NS;
    for (int64_t now; *count && !census_has_room(census, *count + SPARE);) {
        if ((now = clock_now()) >= deadline)
            give_up_all(census, pending, count, CENSUS_UNSTOPPED);
        eventfd_write(census->control->wake_fd, 1);
        tracer_sleep(now + NAP_NS);
        collect_all(census, pending, count, now);
    }
    while (!census_has_room(census, SPARE))
        census_nap(census);
}

// As many may be pending as have room in the ring.
static size_t most_pending(const struct census *census)
{
    size_t records = census->control->ring.size /
                     (sizeof(struct census_record) + census->config->stack_room);
    if (records <= SPARE + 1)
        return 1;
    return records - SPARE - 1 < PENDING_MAX ? records - SPARE - 1 : PENDING_MAX;
}

// A thread is asked to stop only if it still runs. What sleeps by now is read in place after all.
// late: nobody is asked any more.
static bool begin(struct census *census, pid_t tid, struct census_held *held, bool late)
{
    enum in_place now = census_read(census, tid);
    bool sleeps = now == IN_PLACE_READ || now == IN_PLACE_MOVED;
    held->thread = census->scratch->thread;
    if (!sleeps && now != IN_PLACE_RUNNING)
        return false;
    if (sleeps && !census->config->asleep)
        census_tell(census, census->scratch);
    else if (!thread_filter_matches(census->config->threads, held->thread.comm))
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING);
    else if (late)
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING | CENSUS_STARVED);
    else if (census_ask(census, held))
        return true;
    else
        census_tell_unheld(census, &held->thread, CENSUS_RUNNING | CENSUS_REFUSED);
    return false;
}

void census_one_by_one(struct census *census, const pid_t *tids, size_t count)
{
    struct census_held pending[PENDING_MAX];
    size_t pending_count = 0, most = most_pending(census);
    census->abandoned = xcalloc(count + 1, sizeof *census->abandoned);
    if (count)
        priority_raise();
    privilege_drop_nice();
    for (size_t i = 0; i < count; i++) {
        await_room(census, pending, &pending_count);
        struct census_held *held = &pending[pending_count];
        bool late = is_over(census, clock_now());
        if (begin(census, tids[i], held, late) && !collect(census, held, SPIN_NS, held->asked_at))
            pending_count++;
        collect_all(census, pending, &pending_count, clock_now());
        collect_down_to(census, pending, &pending_count, most - 1);
    }
    collect_down_to(census, pending, &pending_count, 0);
}
