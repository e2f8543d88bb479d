// SPDX-License-Identifier: MIT
#include "session/session.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "profile/query.h"
#include "sample/sampler.h"
#include "sample/watchdog.h"
#include "session/consumer.h"
#include "session/preflight.h"
#include "unwind/live.h"

#define RING_BYTES (8u << 20) // a power of two: some 500 ordinary captures
#define SLICE_ENTRIES (1u << 15) // of a second: 8 threads at 4 kHz, no stack twice
#define ENDED_MAX (1u << 16)   // threads that have ended and are still told apart
#define LIVE_ENDED_MAX (1u << 10)
#define RESTARTS_MAX 20
#define DOWNLOAD_MS 20000 // for debug files from servers, all together
#define LAST_NAMES_MS 1000
#define DRAIN_MS 25 // how long a capture waits in the ring at the most

const struct session_options session_defaults = {
    .rate = 99,
    .max_depth = 4096,
    .max_stop = 0.01,
    .max_stacks = 4u << 20, // about 100 MiB
};

struct session {
    struct session_options options;
    pid_t *pids;
    size_t pid_count;
    regex_t threads;
    bool has_threads;
    struct sampler_config config;
    struct control *control;
    struct watchdog watchdog;
    pid_t sampler; // 0: none runs
    struct modules *modules;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher; // NULL: nobody looks while it runs
    struct consumer *consumer;
    struct run run;
    struct run base; // as it was at the last session_reset
    int64_t started, paused_at, paused_ns; // CLOCK_MONOTONIC ns
    bool watched, finished;
    int idle_times; // how often wall time began to be counted
    pthread_mutex_t lock;
};

// --- before anything is touched ---

static enum rc compile_threads(struct session *session, struct err *err)
{
    const char *text = session->options.threads;
    enum rc rc = text ? preflight_threads(text, &session->threads, err) : RC_OK;
    session->has_threads = text && rc == RC_OK;
    return rc;
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
        .pid_count = session->pid_count,
        .rate = session->options.rate,
        .children = session->options.children,
        .threads = session->has_threads ? &session->threads : NULL,
        .max_stop = session->options.max_stop,
        .unwind_live = session->options.unwind_live ? unwind_held : NULL,
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
            return; // the same one twice
    session->pids[session->pid_count++] = pid;
}

enum rc session_open(const pid_t *pids, size_t count, const struct session_options *options,
                     struct session **out, struct err *err)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; i < count && rc == RC_OK; i++)
        rc = preflight_target(pids[i], err);
    if (rc != RC_OK)
        return rc;
    struct session *session = xcalloc(1, sizeof *session);
    session->options = *options;
    pthread_mutex_init(&session->lock, NULL);
    session->pids = xcalloc(count, sizeof *pids);
    for (size_t i = 0; i < count; i++)
        add_pid(session, pids[i]);
    session->modules = modules_new();
    session->profile = profile_new(options->max_stacks);
    if (options->live)
        profile_keep_slices(session->profile, SLICE_ENTRIES);
    session->symbolizer = symbolizer_new(session->modules);
    symbolizer_isolate(session->symbolizer);
    for (size_t i = 0; i < session->pid_count; i++) // while they are there for certain
        symbolizer_add_root(session->symbolizer, session->pids[i]);
    session->control = control_new(RING_BYTES, err);
    rc = session->control ? compile_threads(session, err) : RC_FAIL;
    if (rc != RC_OK) {
        session_close(session);
        return rc;
    }
    session->consumer = consumer_new(session->control, session->modules, session->profile,
                                     options->max_depth);
    consumer_watch(session->consumer, add_root, session->symbolizer);
    configure(session);
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
    control_free(session->control);
    if (session->has_threads)
        regfree(&session->threads);
    free(session->pids);
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
    session->run.start_wall = clock_wall();
    // The fork comes before the thread: the child of a process with threads may find locks taken.
    enum rc rc = sampler_start(session->control, &session->config, &session->sampler, err);
    if (rc == RC_OK)
        rc = watchdog_start(&session->watchdog, session->control, err);
    if (rc != RC_OK)
        return rc;
    session->watched = true;
    watchdog_guard(&session->watchdog, session->sampler);
    if (session->options.live)
        rc = fetcher_new(session->symbolizer, &session->fetcher, err);
    return rc;
}

// A thread on which samplers hung more than once is left alone by the next one.
static void note_culprit(struct control *control, pid_t tid)
{
    for (unsigned i = 0; i < control->hang_count; i++) {
        if (control->hangs[i].tid == tid) {
            control->hangs[i].times++;
            return;
        }
    }
    if (control->hang_count < HANGS_MAX)
        control->hangs[control->hang_count++] = (struct hang){tid, 1};
}

// Who was longest without a sign of life when the sampler process was ended.
static void note_culprits(struct control *control)
{
    const struct sign_of_life *oldest = NULL;
    for (unsigned i = 0; i < control->life_count; i++) {
        const struct sign_of_life *life = &control->lives[i];
        int64_t since = atomic_load(&life->busy_since);
        if (since && (!oldest || since < atomic_load(&oldest->busy_since)))
            oldest = life;
    }
    if (oldest)
        note_culprit(control, atomic_load(&oldest->busy_with));
}

static enum rc replace_sampler(struct session *session, struct err *err)
{
    session->sampler = 0;
    if (atomic_load(&session->control->ended))
        return RC_GONE;
    if (session->run.restarts++ >= RESTARTS_MAX)
        return err_set(err, RC_FAIL, "the sampler process was ended %d times: giving up",
                       RESTARTS_MAX);
    note_culprits(session->control);
    ring_recover(&session->control->ring);
    return start_sampler(session, err);
}

static void drain(struct session *session)
{
    pthread_mutex_lock(&session->lock);
    consumer_drain(session->consumer);
    pthread_mutex_unlock(&session->lock);
}

enum rc session_step(struct session *session, int timeout_ms, int extra_fd, struct err *err)
{
    struct pollfd fds[] = {{.fd = session->control->wake_fd, .events = POLLIN},
                           {.fd = extra_fd, .events = POLLIN}};
    int64_t deadline = clock_now() + (int64_t)timeout_ms * NS_PER_MS;
    for (;;) {
        int64_t left_ms = (deadline - clock_now() + NS_PER_MS - 1) / NS_PER_MS;
        eventfd_t ignored;
        int ready = poll(fds, 2, left_ms < 0 ? 0 : left_ms < DRAIN_MS ? (int)left_ms : DRAIN_MS);
        eventfd_read(session->control->wake_fd, &ignored);
        drain(session);
        if (!session->options.live)
            session_bound(session);
        if (!session->sampler || sampler_ended(session->sampler)) {
            drain(session);
            return replace_sampler(session, err);
        }
        if (left_ms <= 0 || (ready > 0 && fds[1].revents))
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

static int64_t sampled_ns(const struct session *session)
{
    int64_t until = atomic_load(&session->control->paused) ? session->paused_at : clock_now();
    return until - session->started - session->paused_ns;
}

pthread_mutex_t *session_lock(struct session *session)
{
    return &session->lock;
}

struct names *session_names(struct session *session)
{
    return names_new_late(session->modules, session->symbolizer, session->fetcher,
                          &session->lock);
}

struct slices *session_slices(struct session *session)
{
    return profile_slices(session->profile);
}

// Of a run that is to be written, stacks are kept as they are: its trie has a bound of its own.
bool session_bound(struct session *session)
{
    struct compact_bounds bounds = {
        .nodes = session->options.live ? session->options.max_stacks / 4 * 3 : SIZE_MAX,
        .ended = session->options.live ? LIVE_ENDED_MAX : ENDED_MAX,
        .values = session->options.max_stacks,
    };
    return consumer_bound(session->consumer, &bounds);
}

void session_slow_down(struct session *session, uint32_t slowdown)
{
    atomic_store(&session->control->slowdown, slowdown);
}

void session_held(struct session *session, int64_t *worst, int64_t *sum)
{
    consumer_held(session->consumer, worst, sum);
}

int64_t session_behind(const struct session *session)
{
    return atomic_load(&session->control->behind);
}

void session_finish(struct session *session, enum run_end end)
{
    if (session->finished)
        return;
    session->finished = true;
    int64_t sampled = sampled_ns(session);
    if (session->sampler && !sampler_stop(session->control, session->sampler))
        session->run.stuck = session->sampler; // since when it did not sample, nobody knows
    session->sampler = 0;
    if (session->watched)
        watchdog_stop(&session->watchdog);
    session->run.duration = session->run.stuck ? sampled : sampled_ns(session);
    session->run.end = end;
    consumer_drain(session->consumer);
    consumer_finish(session->consumer);
}

// --- what came of it ---

// Each CPU has ticks of its own: the rounds are those of the CPU that had most.
static void count_ticks(struct run *run, const struct control *control)
{
    uint64_t all = 0, late = 0;
    run->rounds = 0;
    for (unsigned i = 0; i < control->life_count; i++) {
        uint64_t ticks = atomic_load(&control->lives[i].ticks);
        all += ticks;
        late += atomic_load(&control->lives[i].late);
        run->rounds = ticks > run->rounds ? ticks : run->rounds;
    }
    run->late = all ? (late * run->rounds + all / 2) / all : 0;
}

static void copy_control(struct run *run, const struct control *control)
{
    count_ticks(run, control);
    run->elsewhere = atomic_load(&control->elsewhere);
    run->busy = atomic_load(&control->busy);
    run->unfound = atomic_load(&control->unfound);
    run->stops = atomic_load(&control->stops);
    run->failed = atomic_load(&control->failed);
    run->queued = atomic_load(&control->queued);
    run->dropped = atomic_load(&control->dropped);
    run->repaired = atomic_load(&control->repaired);
    run->realtime = atomic_load(&control->realtime);
    run->short_slice = atomic_load(&control->short_slice);
    run->rate_lowered = atomic_load(&control->rate_lowered);
    run->threads_seen = atomic_load(&control->threads_seen);
    run->held_p50 = (int64_t)histogram_quantile(&control->held, 0.5);
    run->held_p99 = (int64_t)histogram_quantile(&control->held, 0.99);
    run->held_max = (int64_t)control->held.max;
    run->held_total = (int64_t)control->held.sum;
    run->displaced_p50 = (int64_t)histogram_quantile(&control->displaced, 0.5);
    run->displaced_p99 = (int64_t)histogram_quantile(&control->displaced, 0.99);
    run->displaced_total = (int64_t)control->displaced.sum;
}

static struct query_source source_of(const struct session *session)
{
    return (struct query_source){session->profile, session->modules, session->symbolizer,
                                 .idle = session->options.idle};
}

static uint64_t count_unresolved(const struct session *session)
{
    struct query_source source = source_of(session);
    uint64_t unresolved = 0;
    for (size_t i = 0; i < profile_value_count(session->profile); i++) {
        const struct profile_value *value = profile_value_get(session->profile, i);
        if (!value->stack || !query_takes(&source, value))
            continue;
        struct location leaf = profile_location_get(
            session->profile, profile_node(session->profile, value->stack).location);
        if (!symbolizer_lookup(session->symbolizer, leaf.mapping, leaf.offset)->found)
            unresolved += value->samples;
    }
    return unresolved;
}

// What was counted before the last reset does not count.
static void subtract_base(struct run *run, const struct run *base)
{
    run->rounds -= base->rounds;
    run->late -= base->late;
    run->samples -= base->samples;
    run->asleep -= base->asleep;
    run->stops -= base->stops;
    run->failed -= base->failed;
    run->queued -= base->queued;
    run->dropped -= base->dropped;
    run->cut -= base->cut;
    run->frame_pointers -= base->frame_pointers;
    run->repaired -= base->repaired;
    run->held_total -= base->held_total;
    run->displaced_total -= base->displaced_total;
    run->elsewhere -= base->elsewhere;
    run->busy -= base->busy;
    run->unfound -= base->unfound;
    run->cpu_ns -= base->cpu_ns;
}

const struct run *session_progress(struct session *session)
{
    struct run *run = &session->run;
    struct consumer_counts counts = consumer_counts(session->consumer);
    if (!session->finished)
        run->duration = sampled_ns(session);
    copy_control(run, session->control);
    run->samples = counts.samples;
    run->cut = counts.cut;
    run->frame_pointers = counts.frame_pointers;
    run->cpu_ns = session->has_threads ? counts.threads_cpu_ns : counts.cpu_ns;
    if (session->options.idle) {
        run->asleep = counts.asleep;
        run->samples += counts.asleep;
        run->cut += counts.asleep_cut;
    }
    subtract_base(run, &session->base);
    run->type = session->options.idle ? RUN_WALL : RUN_CPU;
    run->rate = session->options.rate;
    run->achieved = run->duration ? (double)run->rounds * NS_PER_S / (double)run->duration : 0;
    run->unattributed_ns = counts.unattributed_ns;
    run->held_share = counts.held_share;
    run->threads_sampled = counts.threads + (session->options.idle ? counts.threads_asleep : 0);
    run->processes = consumer_processes(session->consumer);
    run->process_count = counts.processes;
    return run;
}

void session_reset(struct session *session)
{
    session->base = (struct run){0};
    session->base = *session_progress(session);
    session->run.start_wall = clock_wall();
    session->started = session->paused_at = clock_now();
    session->paused_ns = 0;
    profile_reset(session->profile);
    consumer_reset(session->consumer);
}

struct report session_live_report(struct session *session)
{
    session_progress(session);
    return (struct report){.profile = session->profile,
                           .modules = session->modules,
                           .symbolizer = session->symbolizer,
                           .run = &session->run};
}

struct report session_report(struct session *session)
{
    struct report report = session_live_report(session);
    struct query_source source = source_of(session);
    // Who leaves a screen does not wait for the last names as a file does.
    if (session->fetcher && fetcher_wait(session->fetcher, LAST_NAMES_MS)) {
        query_want(&source);
        fetcher_start(session->fetcher);
    }
    fetcher_stop(session->fetcher);
    query_fetch(&source);
    if (session->finished && session->options.debuginfod)
        symbolizer_download(session->symbolizer, DOWNLOAD_MS);
    session->run.unresolved = count_unresolved(session);
    return report;
}

char *session_worst_cut(const struct session *session)
{
    const struct module *module;
    enum unwind_end why;
    if (!consumer_worst_cut(session->consumer, &module, &why))
        return NULL;
    return xasprintf("%s: %s", module->name, unwind_end_texts[why]);
}
