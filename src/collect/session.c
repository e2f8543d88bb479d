// SPDX-License-Identifier: MIT
#include "collect/session.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "collect/preflight.h"
#include "collect/session_state.h"
#include "process/procfs.h"
#include "symbol/headers.h"
#include "unwind/live.h"

// The types that need to know what threads wait for, and those that need looks at sleeping threads.
#define WAITS                                                                                      \
    (PROFILE_BIT(PROFILE_BLOCK) | PROFILE_BIT(PROFILE_MUTEX) | PROFILE_BIT(PROFILE_TRACE))
#define ASLEEP (WAITS | PROFILE_BIT(PROFILE_WALL))
#define RING_BYTES (8u << 20)       // a power of two: some 500 ordinary captures
#define SLICE_ENTRIES (1u << 15)    // of a second: 8 threads at 4 kHz, no stack twice
#define STACKS_MAX (4u << 20)       // nodes of the trie: about 100 MiB
#define LIVE_STACKS_MAX (1u << 18)  // about 8 MiB, and as much for each snapshot
#define ENDED_MAX (1u << 16)        // threads that have ended and are still told apart
#define LIVE_ENDED_MAX (1u << 10)

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
        .pids = session->targets.pids,
        .start_times = session->targets.start_times,
        .pid_count = session->targets.count,
        .rate = session->options.rate,
        .children = session->options.children,
        .threads = session->threads,
        .max_stop = session->options.max_stop / 100,
        .unwind_live = session->options.unwinder == UNWINDER_LIVE ? unwind_held : NULL,
    };
}

static void begin_process(void *context, pid_t pid)
{
    struct session *session = context;
    symbolizer_add_root(session->symbolizer, pid);
    session_trace_follow(session, pid);
}

static void add_pid(struct session *session, pid_t pid)
{
    for (size_t i = 0; i < session->targets.count; i++)
        if (session->targets.pids[i] == pid)
            return; // it was given twice
    struct proc_stat stat = {0};
    enum rc gone = procfs_stat(pid, pid, &stat); // the sampler finds out too
    session->targets.start_times[session->targets.count] = gone == RC_OK ? stat.start_time : 0;
    session->targets.pids[session->targets.count++] = pid;
}

// The stacks of a run that is to be written are kept as they are: its trie has a bound of its own.
static bool bound(void *context)
{
    struct session *session = context;
    struct compact_bounds bounds = {
        .nodes = session->options.live ? LIVE_STACKS_MAX / 4 * 3 : SIZE_MAX,
        .ended = session->options.live ? LIVE_ENDED_MAX : ENDED_MAX,
        .values = stacks_max(&session->options),
    };
    bool renumbered = consumer_bound(session->consumer, &bounds);
    session->times.renumbered += renumbered;
    return renumbered;
}

static enum rc check_targets(const pid_t *pids, size_t count, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = preflight_target(pids[i], err);
    return rc == RC_OK && count ? preflight_tracing(pids[0], err) : rc;
}

static struct session *session_new(const pid_t *pids, size_t count,
                                   const struct session_options *options)
{
    struct session *session = xcalloc(1, sizeof *session);
    session->options = *options;
    if (!options->types)
        session->options.types = PROFILE_BIT(options->idle ? PROFILE_WALL : PROFILE_CPU);
    session->options.idle = session->options.types & ASLEEP;
    thread_mutex_recursive(&session->lock);
    session->targets.pids = xcalloc(count, sizeof *pids);
    session->targets.start_times = xcalloc(count, sizeof *session->targets.start_times);
    for (size_t i = 0; i < count; i++)
        add_pid(session, pids[i]);
    headers_isolate();
    session->modules = modules_new();
    session->profile = profile_new(stacks_max(options));
    if (options->live)
        profile_keep_slices(session->profile, SLICE_ENTRIES);
    session->symbolizer = symbolizer_new(session->modules);
    symbolizer_isolate(session->symbolizer);
    for (size_t i = 0; i < session->targets.count; i++) // they are known to exist now
        symbolizer_add_root(session->symbolizer, session->targets.pids[i]);
    return session;
}

enum rc session_open(const pid_t *pids, size_t count, const struct session_options *options,
                     struct session **out, struct err *err)
{
    enum rc rc = check_targets(pids, count, err);
    if (rc != RC_OK)
        return rc;
    struct session *session = session_new(pids, count, options);
    session->control = control_new(RING_BYTES, err);
    rc = session->control ? thread_filter_new(options->threads, &session->threads, err) : RC_FAIL;
    if (rc != RC_OK) {
        session_close(session);
        return rc;
    }
    session->consumer = consumer_new(session->control, session->modules, session->profile,
                                     options->max_depth);
    consumer_watch(session->consumer, begin_process, session);
    consumer_follow(session->consumer, session_end_second, session);
    configure(session);
    session->taker = (struct taker){
        .control = session->control,
        .consumer = session->consumer,
        .watchdog = &session->watchdog,
        .profile = session->profile,
        .symbolizer = session->symbolizer,
        .lock = &session->lock,
        .bound = bound,
        .context = session,
        .names = !options->live,
        .borrowing = PTHREAD_MUTEX_INITIALIZER,
    };
    session_count(session, session->options.types);
    rc = session->options.types & PROFILE_BIT(PROFILE_TRACE) ? session_trace_open(session, err)
                                                            : RC_OK;
    if (rc == RC_OK)
        *out = session;
    else
        session_close(session);
    return rc;
}

void session_close(struct session *session)
{
    if (!session)
        return;
    if (session->time.started && !session->finished)
        session_finish(session);
    session_trace_close(session);
    consumer_free(session->consumer);
    fetcher_free(session->fetcher);
    symbolizer_free(session->symbolizer);
    profile_free(session->profile);
    modules_free(session->modules);
    headers_end();
    control_free(session->control);
    thread_filter_free(session->threads);
    free(session->targets.pids);
    free(session->targets.start_times);
    pthread_mutex_destroy(&session->taker.borrowing);
    pthread_mutex_destroy(&session->lock);
    free(session);
}

// --- while it runs ---

// Each time that something else is counted, all threads are looked at anew.
void session_count(struct session *session, unsigned types)
{
    bool idle = types & ASLEEP, waits = types & WAITS;
    bool was_idle = atomic_load(&session->control->idle);
    if (idle == was_idle && waits == consumer_counts_waits(session->consumer))
        return;
    consumer_count_waits(session->consumer, waits ? session->options.rate : 0);
    atomic_store(&session->control->idle, idle ? ++session->times.idle : 0);
}

bool session_wants_names(const struct session *session)
{
    return consumer_counts_waits(session->consumer) && consumer_wants_names(session->consumer);
}

void session_take_names(struct session *session, size_t named)
{
    if (session_wants_names(session))
        consumer_take_names(session->consumer, session->symbolizer, named);
}

void session_pause(struct session *session, bool paused)
{
    struct control *control = session->control;
    if (atomic_load(&control->paused) == paused)
        return;
    if (paused) {
        session->time.paused = clock_now();
    } else { // a second that has begun goes on
        int64_t lasted = clock_now() - session->time.paused;
        session->time.pauses += lasted;
        atomic_fetch_add(&control->at.second, lasted);
    }
    atomic_store(&control->paused, paused);
    if (session->sampler)
        sampler_wake(session->sampler);
}

void session_stop_nobody(struct session *session, bool in_place)
{
    bool was = atomic_exchange(&session->control->stop_nobody.wanted, in_place);
    if (was != in_place && session->sampler)
        sampler_wake(session->sampler);
}

int64_t session_sampled_ns(const struct session *session)
{
    int64_t until = atomic_load(&session->control->paused) ? session->time.paused : clock_now();
    return until - session->time.started - session->time.pauses;
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

unsigned session_renumberings(const struct session *session)
{
    return session->times.renumbered;
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
