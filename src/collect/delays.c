// SPDX-License-Identifier: MIT
#include "collect/delays.h"

#include <linux/futex.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "process/memory.h"
#include "process/procfs.h"

// More time in the queue for the same time on a CPU is rather that of a period in which the thread
// hardly ran, and says nothing of the next one.
#define STRETCH_MOST 100

void delays_init(struct delays *delays, struct profile *profile, struct modules *modules)
{
    *delays = (struct delays){.profile = profile, .nobody = UINT32_MAX};
    delays->unseen = modules_special(modules, MODULE_SPECIAL, "[holder not seen]");
    spots_init(&delays->spots, profile);
}

void delays_fini(struct delays *delays)
{
    spots_fini(&delays->spots);
}

// --- who is there ---

static void read_namespace(const char *pid, char link[64])
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%s/ns/pid", pid);
    memset(link, 0, 64);
    ssize_t ignored = readlink(path, link, 63);
    (void)ignored; // then it is empty
}

static void meet_process(struct process *process)
{
    char pid[16], own[64], its[64];
    snprintf(pid, sizeof pid, "%d", (int)process->pid);
    read_namespace("self", own);
    read_namespace(pid, its);
    process->nested = strcmp(own, its) != 0;
    process->met = true;
}

static void meet(struct process *process, struct account *thread)
{
    struct proc_status status = {0};
    if (!process->met)
        meet_process(process);
    if (thread->delays.inner_tid)
        return;
    bool known = procfs_status(thread->tid, &status) == RC_OK;
    thread->delays.inner_tid = known && process->nested ? status.inner_pid : thread->tid;
    thread->delays.waits = status.waits;
}

// --- looks ---

// Ends what was known since the last look at the thread.
static void leave(struct delays *delays, struct account *thread, int64_t moment)
{
    struct thread_delays *own = &thread->delays;
    delays->moment = moment > delays->moment ? moment : delays->moment;
    if (own->lock)
        locks_end_wait(&delays->spots.locks, own->lock, moment);
    locks_end_holding(&delays->spots.locks, &own->holds, moment);
    own->lock = own->wait = 0;
}

static uint32_t holding_value(const struct delays *delays, const struct account *thread,
                              uint32_t lock, uint32_t stack)
{
    return profile_value_of_wait(delays->profile, stack, thread->profile_thread, STATE_HOLDING,
                                 delays->spots.locks.list[lock - 1].wait);
}

void delays_ran(struct delays *delays, struct process *process, struct account *thread,
                const struct capture *capture, uint32_t stack, uint64_t ns)
{
    struct locks *locks = &delays->spots.locks;
    meet(process, thread);
    leave(delays, thread, capture->time);
    uint32_t lock =
        locks_held(locks, process->number, capture, thread->delays.inner_tid, thread->delays.lock);
    // Who waits for a CPU holds the lock on.
    double stretch = thread->delays.stretch > 1 ? thread->delays.stretch : 1;
    stretch = stretch < STRETCH_MOST ? stretch : STRETCH_MOST;
    if (lock)
        locks_charge(locks, lock, holding_value(delays, thread, lock, stack),
                     (uint64_t)((double)ns * stretch));
}

static void begin_wait(struct delays *delays, struct account *thread, uint32_t lock)
{
    thread->delays.lock = lock;
    if (lock)
        locks_begin_wait(&delays->spots.locks, lock, delays->moment);
}

uint32_t delays_blocked(struct delays *delays, struct process *process, struct account *thread,
                        const struct capture *capture, uint32_t stack)
{
    struct locks *locks = &delays->spots.locks;
    meet(process, thread);
    leave(delays, thread, capture->time);
    uint32_t wait = spots_at(&delays->spots, process, thread->tid, capture, stack);
    thread->delays.wait = wait;
    if (!(capture->flags & CAPTURE_SAME_WAIT) || !thread->delays.asleep_since)
        thread->delays.asleep_since = capture->time;
    begin_wait(delays, thread, spots_lock(&delays->spots, wait));
    uint32_t lock =
        locks_held(locks, process->number, capture, thread->delays.inner_tid, thread->delays.lock);
    if (lock)
        thread->delays.holds = locks_begin_holding(
            locks, lock, holding_value(delays, thread, lock, stack), capture->time);
    return wait;
}

void delays_end_thread(struct delays *delays, struct account *thread)
{
    leave(delays, thread, delays->moment);
    thread->delays.inner_tid = 0; // its waits until it is met again are not counted
    thread->delays.asleep_since = 0;
}

// --- sharing ---

struct sharing {
    struct delays *delays;
    const struct account *thread;
    uint64_t singles, times; // of all blocked looks: waits met once, and looks
    uint64_t missed;         // waits that no look has met
    uint64_t upto, given;    // of singles or times; of missed
};

static uint64_t singles_of(const struct seen_stack *seen)
{
    return seen->waits > seen->longs ? seen->waits - seen->longs : 0;
}

// Waits that were not met are as short as those that were met once.
static uint64_t share_missed(struct sharing *sharing, const struct seen_stack *seen)
{
    uint64_t all = sharing->singles ? sharing->singles : sharing->times;
    sharing->upto += sharing->singles ? singles_of(seen) : seen->times;
    uint64_t end = (uint64_t)((unsigned __int128)sharing->missed * sharing->upto / all);
    uint64_t part = end - sharing->given;
    sharing->given = end;
    return part;
}

static void share_blocked(void *context, const struct seen_stack *seen, uint64_t ns)
{
    struct sharing *sharing = context;
    struct profile *profile = sharing->delays->profile;
    uint64_t waits = seen->waits + share_missed(sharing, seen);
    uint32_t value =
        profile_value_of_wait(profile, seen->stack, sharing->thread->profile_thread,
                              STATE_DELAYED, seen->wait);
    profile_add(profile, value, waits, ns);
    spots_delay(&sharing->delays->spots, seen->wait, ns, waits);
}

// Returns how often the thread went to sleep since the last time. The kernel counts each of our
// stops as if it had.
static uint64_t count_waits(struct account *thread, uint64_t stops)
{
    struct proc_status status;
    struct thread_delays *own = &thread->delays;
    if (procfs_status(thread->tid, &status) != RC_OK)
        return 0;
    uint64_t before = own->waits + stops;
    uint64_t waits = status.waits > before ? status.waits - before : 0;
    own->waits = status.waits;
    return waits;
}

void delays_share(struct delays *delays, struct account *thread, struct wall_period period,
                  uint64_t stops)
{
    struct sharing sharing = {.delays = delays, .thread = thread};
    const struct wall *wall = &thread->wall;
    uint64_t met = 0;
    for (size_t i = 0; i < wall->count; i++) {
        const struct seen_stack *seen = &wall->seen[i];
        sharing.times += seen->state == STATE_BLOCKED ? seen->times : 0;
        sharing.singles += singles_of(seen);
        met += seen->waits;
    }
    if (thread->delays.inner_tid && (period.running || met)) {
        uint64_t waits = count_waits(thread, stops);
        sharing.missed = waits > met ? waits - met : 0;
    }
    if (period.running)
        thread->delays.stretch =
            (double)(period.running + period.queued) / (double)period.running;
    wall_share(&thread->wall, delays->profile, thread->profile_thread, period,
               &(struct wall_sink){share_blocked, &sharing});
}

void delays_sort(struct delays *delays, const struct population *population,
                 struct symbolizer *symbolizer, size_t named)
{
    if (!spots_sort(&delays->spots, population, symbolizer, named))
        return;
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));)
        if (thread->delays.wait && !thread->delays.lock)
            begin_wait(delays, thread, spots_lock(&delays->spots, thread->delays.wait));
}

static uint32_t unseen(void *context, uint32_t wait)
{
    struct delays *delays = context;
    uint32_t location = profile_location(delays->profile, delays->unseen->id, 0);
    uint32_t stack = profile_stack(delays->profile, &location, 1);
    if (delays->nobody == UINT32_MAX)
        delays->nobody = profile_thread_add(delays->profile, 0, 0, "", "");
    return profile_value_of_wait(delays->profile, stack, delays->nobody, STATE_HOLDING, wait);
}

void delays_renumber(struct delays *delays, const struct population *population,
                     const struct compact_numbers *numbers)
{
    spots_renumber(&delays->spots, numbers->stacks);
    locks_renumber(&delays->spots.locks, numbers->values);
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));)
        thread->delays.holds.value = numbers->values[thread->delays.holds.value];
    if (delays->nobody != UINT32_MAX)
        delays->nobody = numbers->threads[delays->nobody];
}

// --- holders that sleep on ---

struct owned { // a lock that is waited for
    uint32_t lock, process;
    pid_t owner; // inner tid of who has it now
};

static size_t find_owners(const struct delays *delays, const struct population *population,
                          struct owned owned[LOCK_WORDS])
{
    const struct locks *locks = &delays->spots.locks;
    size_t count = 0;
    for (uint32_t i = 0; i < locks->watched_count; i++) {
        const struct known_lock *lock = &locks->list[locks->watched[i] - 1];
        const struct process *process = population_process(population, lock->process);
        uint32_t word;
        if (process && lock->waiters && !lock->scanned &&
            memory_read(process->pid, lock->word, &word, sizeof word) && word & FUTEX_TID_MASK)
            owned[count++] = (struct owned){locks->watched[i], lock->process,
                                            (pid_t)(word & FUTEX_TID_MASK)};
    }
    return count;
}

// The copy of a holder that fell asleep before its lock was waited for, or known, has no word of
// the lock, and there is no other copy while it sleeps on.
static void find_sleepers(struct delays *delays, const struct population *population,
                          int64_t moment)
{
    struct owned owned[LOCK_WORDS];
    size_t count = find_owners(delays, population, owned);
    for (struct account *thread = NULL;
         count && (thread = population_next(population, NULL, thread));) {
        struct thread_delays *own = &thread->delays;
        for (size_t i = 0; i < count && own->wait && thread->wall.has_slept && !own->holds.lock;
             i++)
            if (owned[i].owner == own->inner_tid && owned[i].process == thread->process &&
                owned[i].lock != own->lock)
                own->holds = locks_begin_holding(
                    &delays->spots.locks, owned[i].lock,
                    holding_value(delays, thread, owned[i].lock, thread->wall.asleep), moment);
    }
}

// At the end of a run a holder counts even if it was found only now, as when names came late: for
// as long as it is known to have slept.
static void charge_sleepers(struct delays *delays, const struct population *population,
                            int64_t moment, bool last)
{
    struct locks *locks = &delays->spots.locks;
    if (!locks->count) // nobody holds anything that is known
        return;
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));) {
        const struct holding *holds = &thread->delays.holds;
        locks_go_on_holding(locks, &thread->delays.holds, moment);
        if (last && holds->lock)
            locks_charge_late(locks, holds->lock, holds->value,
                              (uint64_t)(moment - thread->delays.asleep_since));
    }
}

void delays_settle(struct delays *delays, const struct population *population, int64_t moment,
                   bool last)
{
    locks_choose(&delays->spots.locks, moment);
    find_sleepers(delays, population, moment);
    charge_sleepers(delays, population, moment, last);
    if (!last) {
        locks_settle(&delays->spots.locks, delays->profile);
        return;
    }
    locks_settle_last(&delays->spots.locks, delays->profile, unseen, delays);
    spots_settle_last(&delays->spots, unseen, delays);
}

void delays_stop(struct delays *delays, const struct population *population, int64_t moment)
{
    delays_settle(delays, population, moment, true);
    for (struct account *thread = NULL; (thread = population_next(population, NULL, thread));)
        delays_end_thread(delays, thread);
}
