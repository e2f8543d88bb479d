// SPDX-License-Identifier: MIT
// A session from its first sampler to the end of its last one.
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/patience.h"
#include "collect/aftermath.h"
#include "collect/session_state.h"
#include "process/control_group.h"
#include "sample/priority.h"

// So many samplers may be replaced, and one more for each of these times: a sampler that was ended
// may have held a thread for 50 ms, which is half a percent of that time.
#define RESTARTS_MAX 20
#define RESTART_NS (10 * (int64_t)NS_PER_S)
#define BEGIN_NS NS_PER_S           // that the first sampler may take to begin
#define POLL_US 500                 // between two looks whether it has
#define WAIT_MS 50                  // the end of a sampler goes unnoticed for so long
#define LAST_NS (800 * NS_PER_MS)   // from the end of sampling, in which stacks are still unwound
#define NAMES_NS (800 * NS_PER_MS)  // after that, in which all is named
#define LONGEST_NS (10ll * NS_PER_S) // of each, where others use the CPUs or the end is waited for

static enum rc start_sampler(struct session *session, struct err *err)
{
    enum rc rc = sampler_start(session->control, &session->config, &session->sampler, err);
    if (rc == RC_OK)
        watchdog_guard(&session->watchdog, session->sampler);
    return rc;
}

// What is sampled begins when the sampler does: on a busy machine that is a while after the fork,
// of which no thread has any time.
static void await_sampler(struct session *session)
{
    int64_t until = session->time.started + BEGIN_NS, began;
    while (!(began = atomic_load(&session->control->at.began)) && clock_now() < until)
        usleep(POLL_US);
    int64_t now = clock_now();
    session->time.started = began ? began : now;
    session->run.start_wall = clock_wall() - (now - session->time.started);
}

enum rc session_start(struct session *session, struct err *err)
{
    session->time.started = clock_now();
    session->throttled.target = control_group_throttled(session->targets.pids[0]);
    session->throttled.own = control_group_throttled(getpid());
    // The fork comes before the thread: the child of a process with threads may find locks taken.
    enum rc rc = sampler_start(session->control, &session->config, &session->sampler, err);
    if (rc == RC_OK)
        rc = watchdog_start(&session->watchdog, session->control, err);
    if (rc != RC_OK)
        return rc;
    session->watched = true;
    watchdog_guard(&session->watchdog, session->sampler);
    await_sampler(session);
    rc = fetcher_new(session->symbolizer, &session->fetcher, err);
    session->taker.fetcher = session->fetcher;
    if (rc == RC_OK)
        rc = session_trace_start(session, err);
    return rc == RC_OK ? taker_start(&session->taker, err) : rc;
}

// The next sampler starts when the taker has taken in what the last one left. Nobody waits for it.
static enum rc replace_sampler(struct session *session, struct err *err)
{
    bool has_just_ended = session->sampler;
    session->sampler = 0;
    int limit = (int)atomic_load(&session->control->counts[COUNTER_LIMIT]);
    if (limit)
        return limits_sys(err, RC_LIMIT, limit, "the sampler process cannot go on");
    if (atomic_load(&session->control->ended))
        return RC_GONE;
    control_count(session->control, COUNTER_RESTARTS, has_just_ended);
    uint64_t times = atomic_load(&session->control->counts[COUNTER_RESTARTS]);
    if (times > RESTARTS_MAX + (uint64_t)(session_sampled_ns(session) / RESTART_NS))
        return err_set(err, RC_FAIL, "the sampler process was ended %" PRIu64 " times: giving up",
                       times);
    if (has_just_ended) {
        aftermath_note_culprit(session->control);
        taker_recover(&session->taker);
    }
    return taker_has_recovered(&session->taker) ? start_sampler(session, err) : RC_OK;
}

static enum rc tend_sampler(struct session *session, struct err *err)
{
    bool gone = !session->sampler || sampler_ended(session->sampler);
    enum rc rc = gone ? replace_sampler(session, err) : RC_OK;
    if (rc == RC_OK && room_is_short(&session->room)) // what was seen can still be written
        return limits_sys(err, RC_LIMIT, ENOMEM, "stopped early");
    return rc;
}

// Waits until that moment, or until the descriptor is readable: then *woken is true.
static enum rc wait_until(struct session *session, int64_t moment, int fd, bool *woken,
                          struct err *err)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};
    for (;;) {
        int64_t left_ms = (moment - clock_now() + NS_PER_MS - 1) / NS_PER_MS;
        int64_t wait_ms = left_ms < 0 ? 0 : left_ms < WAIT_MS ? left_ms : WAIT_MS;
        *woken = poll(&polled, 1, (int)wait_ms) > 0;
        enum rc rc = tend_sampler(session, err);
        if (rc != RC_OK || *woken || left_ms <= 0)
            return rc;
    }
}

enum rc session_run(struct session *session, const struct session_drive *drive, struct err *err)
{
    int64_t end = drive->duration ? session_sampled_ns(session) + drive->duration : INT64_MAX;
    int64_t every = (int64_t)drive->every_ms * NS_PER_MS;
    enum rc rc = RC_OK;
    bool goes_on = true, woken;
    for (int64_t left; goes_on && (left = end - session_sampled_ns(session)) > 0;) {
        rc = wait_until(session, clock_now() + (left < every ? left : every), drive->fd, &woken,
                        err);
        goes_on = rc == RC_OK && drive->step(drive->context, woken);
    }
    session->run.end = rc == RC_GONE ? RUN_TARGET_ENDED : goes_on ? RUN_DURATION : RUN_INTERRUPTED;
    return rc;
}

// A process that has ended, or moved to another control group, has less than it had.
static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

// Returns how long may be worked on something at the end: where others use the CPUs too, it takes
// longer, and what was sampled would be lost.
static int64_t last_time(int64_t ns, double slowness)
{
    double longer = (double)ns * slowness;
    return longer < (double)LONGEST_NS ? (int64_t)longer : LONGEST_NS;
}

static void limit_names(struct session *session, int64_t deadline)
{
    symbolizer_hurry(session->symbolizer);
    if (session->options.wait_for_names)
        deadline = 0;
    patience_until(deadline);
    symbolizer_set_deadline(session->symbolizer, deadline);
}

// What threads waited for last is found out before their time is shared out.
static void name_waits(struct session *session)
{
    if (session->options.live || !consumer_wants_names(session->consumer))
        return; // who shows a live session fetches names
    taker_borrow_names(&session->taker); // a snapshot may have them yet
    for (uint32_t i = 0; i < profile_location_count(session->profile); i++) {
        struct location at = profile_location_get(session->profile, i);
        symbolizer_want(session->symbolizer, at.mapping, at.offset);
    }
    symbolizer_fetch(session->symbolizer);
    pthread_mutex_lock(&session->lock);
    consumer_take_names(session->consumer, session->symbolizer, SIZE_MAX);
    pthread_mutex_unlock(&session->lock);
    taker_return_names(&session->taker);
}

// Returns how long was sampled by a sampler that has ended. With thousands of descriptors to close
// that takes a while after it has read all threads for the last time.
static int64_t sampled_ns(const struct session *session)
{
    int64_t reported_at = atomic_load(&session->control->at.reported);
    bool paused = atomic_load(&session->control->paused);
    int64_t closing = reported_at && !paused ? clock_now() - reported_at : 0;
    return session_sampled_ns(session) - closing;
}

void session_finish(struct session *session)
{
    if (session->finished)
        return;
    session->finished = true;
    int64_t sampled = session_sampled_ns(session);
    struct control *control = session->control;
    pid_t first = session->targets.pids[0];
    atomic_store(&control->at.reported, 0);
    bool stuck = session->sampler && !sampler_stop(control, session->sampler);
    if (stuck) // nobody knows since when it did not sample
        atomic_store(&control->counts[COUNTER_STUCK], session->sampler);
    session->sampler = 0;
    session->run.duration = stuck ? sampled : sampled_ns(session);
    atomic_store(&control->counts[COUNTER_FROZEN], control_group_is_frozen(first));
    atomic_store(&control->counts[COUNTER_THROTTLED_NS],
                 since(control_group_throttled(first), session->throttled.target));
    atomic_store(&control->counts[COUNTER_OWN_THROTTLED_NS],
                 since(control_group_throttled(getpid()), session->throttled.own));
    session->time.ended = clock_now();
    session_trace_stop(session);
    bool waits = session->options.wait_for_names && !session->options.live;
    double slowness = taker_slowness(&session->taker);
    int64_t last = session->time.ended + (waits ? LONGEST_NS : last_time(LAST_NS, slowness));
    int nice = priority_hurry(); // somebody waits for what is left
    taker_lead(&session->taker);
    patience_until(last);
    taker_stop(&session->taker);
    pthread_mutex_lock(&session->lock); // a snapshot may be about to copy the profile
    consumer_drain_last(session->consumer, last);
    if (session->watched) {
        aftermath_count_holds(&session->watchdog, session->consumer);
        watchdog_stop(&session->watchdog);
    }
    pthread_mutex_unlock(&session->lock);
    limit_names(session, last + last_time(NAMES_NS, slowness));
    name_waits(session);
    pthread_mutex_lock(&session->lock);
    consumer_finish(session->consumer);
    pthread_mutex_unlock(&session->lock);
    priority_relax(nice);
}
