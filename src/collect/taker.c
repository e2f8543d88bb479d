// SPDX-License-Identifier: MIT
#include "collect/taker.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/thread.h"
#include "collect/aftermath.h"
#include "process/procfs.h"
#include "sample/priority.h"

#define DRAIN_MS 25 // a capture waits in the ring for so long at the most
#define IDLE_MS 100 // the same for the first capture after a while without any
#define SLICE_NS (5 * NS_PER_MS) // for which the lock is held while there is much to do
#define NAP_NS (100 * NS_PER_US) // in which others get the lock
#define NAMES_EVERY NS_PER_S
#define SOON_NS (50 * NS_PER_MS) // the same, while what a thread waits for hangs on a name
#define LOCK_MS 20
#define LIGHT_EVERY (100 * NS_PER_MS)
#define LIGHT_SHARE 16 // others are displaced while it takes less than one part in so many
#define ANSWER_MS 1000 // for which one look at the fetcher lasts

// Has names fetched while sampling goes on, so that little is left to do at the end.
static void fetch_names(struct taker *taker)
{
    int64_t now = clock_now();
    int64_t every = consumer_wants_names(taker->consumer) ? SOON_NS : NAMES_EVERY;
    if (atomic_load(&taker->lent) || now < taker->names_at + every ||
        !fetcher_wait(taker->fetcher, 0))
        return;
    consumer_take_names(taker->consumer, taker->symbolizer, taker->names_wanted);
    taker->names_at = now;
    size_t count = profile_location_count(taker->profile);
    if (count == taker->names_wanted)
        return;
    for (; taker->names_wanted < count; taker->names_wanted++) {
        struct location at = profile_location_get(taker->profile, (uint32_t)taker->names_wanted);
        symbolizer_want(taker->symbolizer, at.mapping, at.offset);
    }
    fetcher_start(taker->fetcher);
}

static void set_rate(struct taker *taker)
{
    uint32_t backoff = taker->backoff ? taker->backoff : 1;
    atomic_store(&taker->control->slowdown, backoff * consumer_slowdown(taker->consumer));
}

// Returns false if the thread is to end: whoever ends it may hold the lock.
static bool lock(struct taker *taker)
{
    int failed = ETIMEDOUT;
    while (failed && !atomic_load(&taker->leaving)) {
        struct timespec next = thread_deadline(LOCK_MS);
        failed = pthread_mutex_clocklock(taker->lock, CLOCK_MONOTONIC, &next);
    }
    return !failed;
}

// Returns false if there is more in the ring.
static bool take_some(struct taker *taker)
{
    if (!lock(taker))
        return true;
    bool recovers = atomic_load(&taker->recovers); // then the ring has no writer
    bool all = consumer_drain_until(taker->consumer, clock_now() + SLICE_NS);
    if (taker->bound(taker->context))
        taker->names_wanted = 0;
    set_rate(taker);
    if (all && recovers) {
        all = !ring_recover(&taker->control->ring);
        if (all)
            aftermath_count_holds(taker->watchdog, taker->consumer);
        atomic_store(&taker->recovers, !all);
    }
    if (taker->names)
        fetch_names(taker);
    pthread_mutex_unlock(taker->lock);
    return all;
}

// The process that unwinds for it takes about as much.
static void note_time(struct taker *taker)
{
    int64_t now = clock_now(), cpu = clock_thread();
    if (now - taker->noted_at < LIGHT_EVERY)
        return;
    taker->is_light = (cpu - taker->cpu_then) * LIGHT_SHARE < now - taker->noted_at;
    taker->cpu_then = cpu;
    taker->noted_at = now;
}

static void come_when_pressed(struct taker *taker)
{
    enum taker_turn turn = TAKER_LAST;
    if (consumer_is_pressed(taker->consumer))
        turn = taker->is_light ? TAKER_AT_ONCE : TAKER_SOON;
    if (turn == taker->turn)
        return;
    if (turn == TAKER_AT_ONCE)
        priority_at_once();
    else
        turn == TAKER_SOON ? (void)thread_come_soon() : thread_come_last();
    consumer_lead(taker->consumer);
    taker->turn = turn;
}

static void *take_in(void *context)
{
    struct taker *taker = context;
    const struct timespec nap = {.tv_nsec = NAP_NS};
    struct pollfd fd = {.fd = taker->control->wake_fd, .events = POLLIN};
    const struct ring *ring = &taker->control->ring;
    uint64_t before = 0, after = 0;
    atomic_store(&taker->tid, gettid());
    thread_come_last();
    consumer_lead(taker->consumer);
    while (!atomic_load(&taker->leaving)) {
        eventfd_t ignored;
        poll(&fd, 1, before == after ? IDLE_MS : DRAIN_MS);
        eventfd_read(fd.fd, &ignored);
        before = after;
        while (!take_some(taker) && !atomic_load(&taker->leaving))
            clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
        note_time(taker);
        after = atomic_load(&ring->consumed);
        come_when_pressed(taker);
    }
    return NULL;
}

enum rc taker_start(struct taker *taker, struct err *err)
{
    int errnum = thread_start(&taker->thread, take_in, taker);
    taker->started = !errnum;
    return errnum ? limits_sys(err, RC_FAIL, errnum, "cannot start a thread") : RC_OK;
}

void taker_stop(struct taker *taker)
{
    if (!taker->started)
        return;
    atomic_store(&taker->leaving, true);
    eventfd_write(taker->control->wake_fd, 1);
    pthread_join(taker->thread, NULL);
    taker->started = false;
}

void taker_lead(const struct taker *taker)
{
    pid_t tid = atomic_load(&taker->tid);
    if (tid)
        thread_lead(tid);
    consumer_lead(taker->consumer);
}

double taker_slowness(const struct taker *taker)
{
    struct schedstat own = {0}, unwinding = {0};
    pid_t tid = atomic_load(&taker->tid), unwinder = consumer_unwinder(taker->consumer);
    if (tid && procfs_schedstat(getpid(), tid, &own) != RC_OK)
        own = (struct schedstat){0};
    if (unwinder && procfs_schedstat(unwinder, unwinder, &unwinding) != RC_OK)
        unwinding = (struct schedstat){0};
    uint64_t ran = own.run_ns + unwinding.run_ns;
    return ran ? 1 + (double)(own.wait_ns + unwinding.wait_ns) / (double)ran : 1;
}

void taker_recover(struct taker *taker)
{
    atomic_store(&taker->recovers, true);
    eventfd_write(taker->control->wake_fd, 1);
}

bool taker_has_recovered(const struct taker *taker)
{
    return !atomic_load(&taker->recovers);
}

void taker_back_off(struct taker *taker, uint32_t slowdown)
{
    taker->backoff = slowdown;
    set_rate(taker);
}

void taker_borrow_names(struct taker *taker)
{
    pthread_mutex_lock(&taker->borrowing);
    atomic_store(&taker->lent, true);
    pthread_mutex_lock(taker->lock); // the thread has read `lent` when we get the lock
    pthread_mutex_unlock(taker->lock);
    while (taker->fetcher && !fetcher_wait(taker->fetcher, ANSWER_MS))
        ; // each question of the fetcher has a time limit
}

void taker_return_names(struct taker *taker)
{
    atomic_store(&taker->lent, false);
    pthread_mutex_unlock(&taker->borrowing);
}
