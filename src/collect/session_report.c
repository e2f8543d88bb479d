// SPDX-License-Identifier: MIT
#include "collect/session_report.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/patience.h"
#include "base/thread.h"
#include "collect/session_state.h"
#include "collect/verdict.h"
#include "profile/query.h"

#define DOWNLOAD_MS 20000  // for debug files from servers, all together
#define LAST_NAMES_MS 1000 // for the names of a screen
// A second of which the sampler does not tell so long after it ended is over without that, and one
// of which not all is taken in after the other time.
#define UNTOLD_NS (2ll * NS_PER_S)
#define LATE_NS (10ll * NS_PER_S)
#define LOCK_MS 20         // that the taker is waited for

static void count_progress(struct session *session)
{
    struct run *run = &session->run;
    struct consumer_counts counts = consumer_counts(session->consumer);
    uint64_t *now = run->counts;
    bool idle = session->options.idle;
    if (!session->finished)
        run->duration = session_sampled_ns(session);
    counters_read(now, session->control);
    if (session->threads)
        now[COUNTER_CPU_NS] = counts.threads_cpu_ns;
    // Samples of threads that slept are part of a profile of wall time; a screen has them beside.
    now[COUNTER_ASLEEP] = idle ? now[COUNTER_ASLEEP] : 0;
    now[COUNTER_SAMPLES] += now[COUNTER_ASLEEP];
    now[COUNTER_CUT] += idle ? counts.asleep_cut : 0;
    now[COUNTER_THREADS_SAMPLED] += idle ? counts.threads_asleep : 0;
    counters_subtract(now, session->counted.reset);
    double rounds = (double)now[COUNTER_ROUNDS];
    run->type = (enum profile_kind)__builtin_ctz(session->options.types);
    run->least_block = session->options.min_block;
    run->idle_waits = session->options.idle_waits;
    run->rate = session->options.rate;
    run->achieved = run->duration ? rounds * NS_PER_S / (double)run->duration : 0;
    run->held_share = counts.held_share;
    run->processes = consumer_processes(session->consumer);
    run->process_count = counts.processes;
}

static void set_mark(const struct session *session, struct session_mark *mark, int64_t elapsed)
{
    mark->duration = elapsed;
    memcpy(mark->counts, session->run.counts, sizeof mark->counts);
    mark->held = session->control->held;
    mark->displaced = session->control->displaced;
}

// --- slices ---

static void complete_slices(struct session *session, int64_t elapsed)
{
    struct slices *slices = session_slices(session);
    count_progress(session);
    slices_charge(slices, session->run.counts[COUNTER_CPU_NS]);
    slices_advance(slices, elapsed);
    set_mark(session, &session->counted.second, slices_completed(slices));
}

// What was sampled and used counts in the second in which that was, however late it is taken in.
void session_end_second(void *context, int64_t ended)
{
    struct session *session = context;
    const struct slices *slices = session_slices(session);
    int64_t elapsed = ended - session->time.started - session->time.pauses;
    if (slices && elapsed >= slices_completed(slices) + NS_PER_S)
        complete_slices(session, elapsed);
}

void session_advance(struct session *session)
{
    int64_t elapsed = session_sampled_ns(session);
    int64_t late = elapsed - slices_completed(session_slices(session)) - NS_PER_S;
    if (late > LATE_NS || (late > UNTOLD_NS && consumer_has_all(session->consumer)))
        complete_slices(session, elapsed);
}

// The thread of clock and signals does not wait for a stack that takes long.
static bool lock_soon(struct session *session)
{
    struct timespec soon = thread_deadline(LOCK_MS);
    return pthread_mutex_clocklock(&session->lock, CLOCK_MONOTONIC, &soon) == 0;
}

const struct run *session_progress(struct session *session)
{
    if (!lock_soon(session))
        return &session->run; // old numbers will do
    count_progress(session);
    pthread_mutex_unlock(&session->lock);
    return &session->run;
}

pid_t session_fork(struct session *session)
{
    if (!lock_soon(session))
        return -1;
    pid_t child = fork();
    if (child != 0) {
        pthread_mutex_unlock(&session->lock);
        return child;
    }
    // The symbol process answers its parent, whose symbolizer may be at work: neither is used.
    session->symbolizer = symbolizer_new(session->modules);
    symbolizer_set_deadline(session->symbolizer, 1);
    return 0;
}

enum rc session_match(struct session *session, struct err *err)
{
    if (!session->threads)
        return RC_OK;
    return verdict_match(session_progress(session), session->targets.pids, session->targets.count,
                         session->threads, session->options.threads, err);
}

enum rc session_refusal(struct session *session, struct err *err)
{
    return verdict_refusal(session_progress(session), session->targets.pids[0], err);
}

enum rc session_judge(struct session *session, struct err *err)
{
    const struct run *run = session_progress(session);
    if (run->end == RUN_TARGET_ENDED && !run->counts[COUNTER_SAMPLES])
        return err_set(err, RC_GONE, "%d ended before one sample was taken",
                       (int)session->targets.pids[0]);
    enum rc rc = session_match(session, err);
    return rc == RC_OK ? session_refusal(session, err) : rc;
}

void session_reset(struct session *session)
{
    pthread_mutex_lock(&session->lock);
    memset(session->counted.reset, 0, sizeof session->counted.reset);
    count_progress(session);
    memcpy(session->counted.reset, session->run.counts, sizeof session->counted.reset);
    session->run.start_wall = clock_wall();
    session->time.started = session->time.paused = clock_now();
    session->time.pauses = 0;
    atomic_store(&session->control->at.second, session->time.started);
    session->counted.second = (struct session_mark){0};
    profile_reset(session->profile);
    consumer_reset(session->consumer);
    pthread_mutex_unlock(&session->lock);
}

struct report session_live_report(struct session *session)
{
    count_progress(session);
    return (struct report){.profile = session->profile,
                           .modules = session->modules,
                           .symbolizer = session->symbolizer,
                           .run = &session->run,
                           .jit_suffix = session->options.jit_suffix};
}

// --- a part of a run ---

void session_mark(struct session *session, struct session_mark *mark)
{
    *mark = session->counted.second;
    if (!session->finished)
        return;
    count_progress(session);
    set_mark(session, mark, session->run.duration);
}

struct run session_run_of(struct session *session, const struct session_part *part)
{
    struct histogram held = part->until.held, displaced = part->until.displaced;
    count_progress(session);
    struct run run = session->run;
    memcpy(run.counts, part->until.counts, sizeof run.counts);
    counters_subtract(run.counts, part->from.counts);
    histogram_subtract(&held, &part->from.held);
    histogram_subtract(&displaced, &part->from.displaced);
    counters_times(run.counts, &held, &displaced);
    run.start_wall += part->from.duration;
    run.duration = part->until.duration - part->from.duration;
    double rounds = (double)run.counts[COUNTER_ROUNDS];
    run.achieved = run.duration ? rounds * NS_PER_S / (double)run.duration : 0;
    return run;
}

// --- names ---

// Samples are counted as COUNTER_SAMPLES does, whatever else the run is of.
static uint64_t count_unresolved(const struct session *session, const struct report *report)
{
    struct query_source source = report_source(report);
    source.type = &profile_types[session->options.idle ? PROFILE_WALL : PROFILE_CPU];
    uint64_t unresolved = 0;
    for (size_t i = 0; i < profile_value_count(report->profile); i++) {
        const struct profile_value *value = profile_value_get(report->profile, i);
        if (!value->stack || !query_takes(&source, value))
            continue;
        struct location leaf = profile_location_get(
            report->profile, profile_node(report->profile, value->stack).location);
        if (!symbolizer_lookup(report->symbolizer, leaf.mapping, leaf.offset)->found)
            unresolved += value->samples;
    }
    return unresolved;
}

static void name_last(struct session *session, const struct query_source *source)
{
    taker_borrow_names(&session->taker);
    query_fetch(source);
    if (session->options.debuginfod) { // a user who has servers asked waits for them
        patience_until(0);
        symbolizer_set_deadline(session->symbolizer, 0);
        symbolizer_download(session->symbolizer, DOWNLOAD_MS);
    }
    taker_return_names(&session->taker);
}

// A user who leaves a screen does not wait for the last names as for a file.
static void name_live(struct session *session, const struct query_source *source)
{
    if (fetcher_wait(session->fetcher, LAST_NAMES_MS)) {
        query_want(source);
        fetcher_start(session->fetcher);
    }
    fetcher_stop(session->fetcher);
    query_fetch(source);
}

struct report session_report(struct session *session)
{
    _Atomic uint64_t *counts = session->control->counts;
    session_finish(session);
    struct report report = session_live_report(session);
    struct query_source source = report_source(&report);
    if (session->options.live && session->fetcher)
        name_live(session, &source);
    else if (!session->named)
        name_last(session, &source);
    session->named = true;
    atomic_store(&counts[COUNTER_LATE_NAMES], symbolizer_late(session->symbolizer));
    atomic_store(&counts[COUNTER_UNRESOLVED], count_unresolved(session, &report));
    return session_live_report(session);
}

// Looks everything up once, under the lock, because names of code that the process makes itself
// come with its records. A writer that looks it up again changes nothing.
static void name_copy(struct session *session, struct session_snapshot *snapshot)
{
    const struct profile *profile = snapshot->report.profile;
    struct query_source source = report_source(&snapshot->report);
    taker_borrow_names(&session->taker);
    pthread_mutex_lock(&session->lock);
    query_want(&source);
    pthread_mutex_unlock(&session->lock);
    symbolizer_fetch(session->symbolizer);
    pthread_mutex_lock(&session->lock);
    for (uint32_t i = 0; i < profile_location_count(profile); i++) {
        struct location at = profile_location_get(profile, i);
        symbolizer_lookup(session->symbolizer, at.mapping, at.offset);
    }
    pthread_mutex_unlock(&session->lock);
}

void session_snapshot_take(struct session *session, struct session_snapshot *snapshot)
{
    pthread_mutex_lock(&session->lock);
    snapshot->report = session_live_report(session);
    snapshot->run = session->run;
    snapshot->processes = xcopy(snapshot->run.processes, snapshot->run.process_count,
                                sizeof *snapshot->processes);
    snapshot->run.processes = snapshot->processes;
    snapshot->report.run = &snapshot->run;
    snapshot->report.profile = profile_copy(session->profile);
    pthread_mutex_unlock(&session->lock);
    name_copy(session, snapshot);
    snapshot->run.counts[COUNTER_UNRESOLVED] = count_unresolved(session, &snapshot->report);
}

void session_snapshot_end(struct session *session, struct session_snapshot *snapshot)
{
    profile_free((struct profile *)(uintptr_t)snapshot->report.profile);
    free(snapshot->processes);
    taker_return_names(&session->taker);
}

char *session_worst_cut(const struct session *session)
{
    const struct module *module;
    enum unwind_end why;
    if (!consumer_worst_cut(session->consumer, &module, &why))
        return NULL;
    bool unread = why == UNWIND_NO_INFO || why == UNWIND_BAD_READ;
    bool known = unread && !module->image && module->problem; // why there is nothing to read
    return xasprintf("%s: %s", module->name, known ? module->problem : unwind_end_texts[why]);
}
