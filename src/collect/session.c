// SPDX-License-Identifier: MIT
#include "collect/session.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/patience.h"
#include "base/thread.h"
#include "collect/aftermath.h"
#include "collect/preflight.h"
#include "collect/session_state.h"
#include "process/control_group.h"
#include "process/procfs.h"
#include "symbol/headers.h"
#include "unwind/live.h"

#define RING_BYTES (8u << 20) // a power of two: some 500 ordinary captures
#define SLICE_ENTRIES (1u << 15) // entries of one second: 8 threads at 4 kHz, no stack twice
#define STACKS_MAX (4u << 20)       // nodes of the trie: about 100 MiB
#define LIVE_STACKS_MAX (1u << 18)  // nodes: about 8 MiB, and as much for each snapshot
#define ENDED_MAX (1u << 16)   // threads that have ended and still have an entry each
#define LIVE_ENDED_MAX (1u << 10)
#define RESTARTS_MAX 20
#define NAMES_NS (1600 * NS_PER_MS) // for finding all names, from the end of sampling on
#define STEP_MS 50                // longest time until the end of a sampler is noticed
#define LAST_NS (800 * NS_PER_MS) // for unwinding the last captures
#define LONGEST_LAST_NS (10ll * NS_PER_S) // the same if the caller waits for the end

const struct session_options session_defaults = {
    SESSION_DEFAULTS,
    .wait_for_names = true,
};

static size_t stacks_max(const struct session_options *options)
{
    return options->live ? LIVE_STACKS_MAX : STACKS_MAX;
}

static size_t unwind_held(pid_t tid, uint64_t *pcs, size_t most, uint32_t *end)
{
    enum unwind_end reason;
    size_t count = unwind_live(tid, pcs, most, &reason);
    *end = reason;
    return count;
}

static void configure(struct session *session)
{
    session->config = (struct sampler_config){
        .pids = session->pids,
        .start_times = session->start_times,
        .pid_count = session->pid_count,
        .rate = session->options.rate,
        .children = session->options.children,
        .threads = session->threads,
        .max_stop = session->options.max_stop / 100,
        .unwind_live = session->options.unwinder == UNWINDER_LIVE ? unwind_held : NULL,
    };
}

static void add_root(void *symbolizer, pid_t pid)
{
    symbolizer_add_root(symbolizer, pid);
}

static void add_pid(struct session *session, pid_t pid)
{
    for (size_t i = 0; i < session->pid_count; i++)
        if (session->pids[i] == pid)
            return; // the pid was given twice
    struct proc_stat stat = {0};
    enum rc gone = procfs_stat(pid, pid, &stat); // if it fails, the sampler finds out why
    session->start_times[session->pid_count] = gone == RC_OK ? stat.start_time : 0;
    session->pids[session->pid_count++] = pid;
}

static bool bound(void *session)
{
    return session_bound(session);
}

enum rc session_open(const pid_t *pids, size_t count, const struct session_options *options,
                     struct session **out, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = preflight_target(pids[i], err);
    if (rc == RC_OK && count)
        rc = preflight_tracing(pids[0], err);
    if (rc != RC_OK)
        return rc;
    struct session *session = xcalloc(1, sizeof *session);
    session->options = *options;
    thread_mutex_recursive(&session->lock);
    session->pids = xcalloc(count, sizeof *pids);
    session->start_times = xcalloc(count, sizeof *session->start_times);
    for (size_t i = 0; i < count; i++)
        add_pid(session, pids[i]);
    headers_isolate();
    session->modules = modules_new();
    session->profile = profile_new(stacks_max(options));
    if (options->live)
        profile_keep_slices(session->profile, SLICE_ENTRIES);
    session->symbolizer = symbolizer_new(session->modules);
    symbolizer_isolate(session->symbolizer);
    for (size_t i = 0; i < session->pid_count; i++) // they are known to exist now
        symbolizer_add_root(session->symbolizer, session->pids[i]);
    session->control = control_new(RING_BYTES, err);
    rc = session->control ? thread_filter_new(options->threads, &session->threads, err) : RC_FAIL;
    if (rc != RC_OK) {
        session_close(session);
        return rc;
    }
    session->consumer = consumer_new(session->control, session->modules, session->profile,
                                     options->max_depth);
    consumer_watch(session->consumer, add_root, session->symbolizer);
    configure(session);
    session->taker = (struct taker){
        .control = session->control,
        .consumer = session->consumer,
        .profile = session->profile,
        .symbolizer = session->symbolizer,
        .lock = &session->lock,
        .bound = options->live ? NULL : bound,
        .context = session,
    };
    session_count_idle(session, options->idle);
    *out = session;
    return RC_OK;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    if (session->started && !session->finished)
        session_finish(session, RUN_INTERRUPTED);
    consumer_free(session->consumer);
    fetcher_free(session->fetcher);
    symbolizer_free(session->symbolizer);
    profile_free(session->profile);
    modules_free(session->modules);
    headers_end();
    control_free(session->control);
    thread_filter_free(session->threads);
    free(session->pids);
    free(session->start_times);
    pthread_mutex_destroy(&session->lock);
    free(session);
}

// --- while it runs ---

static enum rc start_sampler(struct session *session, struct err *err)
{
    enum rc rc = sampler_start(session->control, &session->config, &session->sampler, err);
    if (rc == RC_OK)
        watchdog_guard(&session->watchdog, session->sampler);
    return rc;
}

enum rc session_start(struct session *session, struct err *err)
{
    session->started = clock_now();
    session->throttled = control_group_throttled(session->pids[0]);
    session->own_throttled = control_group_throttled(getpid());
    session->run.start_wall = clock_wall();
    // The fork comes before the thread starts: the child of a process with threads may find locks
    // taken.
    enum rc rc = sampler_start(session->control, &session->config, &session->sampler, err);
    if (rc == RC_OK)
        rc = watchdog_start(&session->watchdog, session->control, err);
    if (rc != RC_OK)
        return rc;
    session->watched = true;
    watchdog_guard(&session->watchdog, session->sampler);
    rc = fetcher_new(session->symbolizer, &session->fetcher, err);
    session->taker.fetcher = session->fetcher;
    return rc == RC_OK ? taker_start(&session->taker, err) : rc;
}

// Starts another sampler once the records of the last one have been read. It does not wait for
// that.
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
    if (atomic_load(&session->control->counts[COUNTER_RESTARTS]) > RESTARTS_MAX)
        return err_set(err, RC_FAIL, "the sampler process was ended %d times: giving up",
                       RESTARTS_MAX);
    if (has_just_ended) {
        aftermath_note_culprit(session->control);
        pthread_mutex_lock(&session->lock);
        aftermath_count_holds(&session->watchdog, session->consumer);
        pthread_mutex_unlock(&session->lock);
        taker_recover(&session->taker);
    }
    return taker_has_recovered(&session->taker) ? start_sampler(session, err) : RC_OK;
}

enum rc session_step(struct session *session, int timeout_ms, int extra_fd, struct err *err)
{
    struct pollfd fd = {.fd = extra_fd, .events = POLLIN};
    int64_t deadline = clock_now() + (int64_t)timeout_ms * NS_PER_MS;
    for (;;) {
        int64_t left_ms = (deadline - clock_now() + NS_PER_MS - 1) / NS_PER_MS;
        int ready = poll(&fd, 1, left_ms < 0 ? 0 : left_ms < STEP_MS ? (int)left_ms : STEP_MS);
        bool gone = !session->sampler || sampler_ended(session->sampler);
        enum rc rc = gone ? replace_sampler(session, err) : RC_OK;
        if (rc != RC_OK)
            return rc;
        if (room_is_short(&session->room)) // what was sampled can still be written
            return limits_sys(err, RC_LIMIT, ENOMEM, "stopped early");
        if (left_ms <= 0 || (ready > 0 && fd.revents))
            return RC_OK;
    }
}

void session_count_idle(struct session *session, bool idle)
{
    bool before = atomic_load(&session->control->idle);
    if (idle != before)
        atomic_store(&session->control->idle, idle ? ++session->idle_times : 0);
}

void session_pause(struct session *session, bool paused)
{
    if (atomic_exchange(&session->control->paused, paused) == paused)
        return;
    if (paused)
        session->paused_at = clock_now();
    else
        session->paused_ns += clock_now() - session->paused_at;
    if (session->sampler)
        sampler_wake(session->sampler);
}

int64_t session_sampled_ns(const struct session *session)
{
    int64_t until = atomic_load(&session->control->paused) ? session->paused_at : clock_now();
    return until - session->started - session->paused_ns;
}

pthread_mutex_t *session_lock(struct session *session)
{
    return &session->lock;
}

struct live_source session_live_source(struct session *session)
{
    return (struct live_source){session->modules, session->symbolizer, session->fetcher,
                                &session->lock};
}

struct slices *session_slices(struct session *session)
{
    return profile_slices(session->profile);
}

// Keeps the profile within its bounds. In a run that is to be written, stacks are not compacted:
// the trie has a bound of its own.
bool session_bound(struct session *session)
{
    struct compact_bounds bounds = {
        .nodes = session->options.live ? LIVE_STACKS_MAX / 4 * 3 : SIZE_MAX,
        .ended = session->options.live ? LIVE_ENDED_MAX : ENDED_MAX,
        .values = stacks_max(&session->options),
    };
    return consumer_bound(session->consumer, &bounds);
}

void session_slow_down(struct session *session, uint32_t slowdown)
{
    taker_back_off(&session->taker, slowdown);
}

void session_held(struct session *session, int64_t *worst, int64_t *sum)
{
    consumer_held(session->consumer, worst, sum);
}

int64_t session_behind(const struct session *session)
{
    return atomic_load(&session->control->behind);
}

// Returns the difference, or 0 when there is less than before because the process has ended or
// moved.
static uint64_t since(uint64_t now, uint64_t before)
{
    return now > before ? now - before : 0;
}

static void limit_names(struct session *session)
{
    symbolizer_hurry(session->symbolizer);
    int64_t deadline = session->options.wait_for_names ? 0 : session->ended_at + NAMES_NS;
    patience_until(deadline);
    symbolizer_set_deadline(session->symbolizer, deadline);
}

void session_finish(struct session *session, enum run_end end)
{
    if (session->finished)
        return;
    session->finished = true;
    int64_t sampled = session_sampled_ns(session);
    struct control *control = session->control;
    bool stuck = session->sampler && !sampler_stop(control, session->sampler);
    if (stuck) // when it stopped sampling is not known
        atomic_store(&control->counts[COUNTER_STUCK], session->sampler);
    session->sampler = 0;
    session->run.duration = stuck ? sampled : session_sampled_ns(session);
    session->run.end = end;
    atomic_store(&control->counts[COUNTER_FROZEN], control_group_is_frozen(session->pids[0]));
    atomic_store(&control->counts[COUNTER_THROTTLED_NS],
                 since(control_group_throttled(session->pids[0]), session->throttled));
    atomic_store(&control->counts[COUNTER_OWN_THROTTLED_NS],
                 since(control_group_throttled(getpid()), session->own_throttled));
    session->ended_at = clock_now();
    bool waits = session->options.wait_for_names && !session->options.live;
    int64_t last = session->ended_at + (waits ? LONGEST_LAST_NS : LAST_NS);
    patience_until(last);
    taker_stop(&session->taker);
    consumer_drain_last(session->consumer, last);
    if (session->watched) {
        aftermath_count_holds(&session->watchdog, session->consumer);
        watchdog_stop(&session->watchdog);
    }
    consumer_finish(session->consumer);
    limit_names(session);
}
