// SPDX-License-Identifier: MIT
// The results of a session: its numbers, and the profile with its names.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/patience.h"
#include "base/thread.h"
#include "collect/session_state.h"
#include "collect/verdict.h"
#include "profile/query.h"

#define DOWNLOAD_MS 20000  // for all debug files from servers together
#define LAST_NAMES_MS 1000 // for the last names of a screen
#define PROGRESS_MS 20     // for newer numbers

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
    // In a profile of wall time blocked threads are samples; on a screen they are shown beside
    // them.
    now[COUNTER_ASLEEP] = idle ? now[COUNTER_ASLEEP] : 0;
    now[COUNTER_SAMPLES] += now[COUNTER_ASLEEP];
    now[COUNTER_CUT] += idle ? counts.asleep_cut : 0;
    now[COUNTER_THREADS_SAMPLED] += idle ? counts.threads_asleep : 0;
    counters_subtract(now, session->base);
    double rounds = (double)now[COUNTER_ROUNDS];
    run->type = idle ? PROFILE_WALL : PROFILE_CPU;
    run->rate = session->options.rate;
    run->achieved = run->duration ? rounds * NS_PER_S / (double)run->duration : 0;
    run->held_share = counts.held_share;
    run->processes = consumer_processes(session->consumer);
    run->process_count = counts.processes;
}

// Returns old numbers rather than wait for a stack that takes long, because they are only shown.
const struct run *session_progress(struct session *session)
{
    struct timespec soon = thread_deadline(PROGRESS_MS);
    if (pthread_mutex_clocklock(&session->lock, CLOCK_MONOTONIC, &soon) != 0)
        return &session->run;
    count_progress(session);
    pthread_mutex_unlock(&session->lock);
    return &session->run;
}

enum rc session_match(struct session *session, struct err *err)
{
    if (!session->threads)
        return RC_OK;
    return verdict_match(session_progress(session), session->pids, session->pid_count,
                         session->threads, session->options.threads, err);
}

enum rc session_refusal(struct session *session, struct err *err)
{
    return verdict_refusal(session_progress(session), session->pids[0], err);
}

void session_reset(struct session *session)
{
    pthread_mutex_lock(&session->lock);
    memset(session->base, 0, sizeof session->base);
    count_progress(session);
    memcpy(session->base, session->run.counts, sizeof session->base);
    session->run.start_wall = clock_wall();
    session->started = session->paused_at = clock_now();
    session->paused_ns = 0;
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
                           .run = &session->run};
}

// --- names ---

static uint64_t count_unresolved(const struct report *report)
{
    struct query_source source = report_source(report);
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
    if (!session->options.debuginfod)
        return;
    // A user who has servers asked waits for them.
    patience_until(0);
    symbolizer_set_deadline(session->symbolizer, 0);
    symbolizer_download(session->symbolizer, DOWNLOAD_MS);
}

// Waits only LAST_NAMES_MS for the last names: the user leaves a screen, and gets no file.
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
    session_finish(session, RUN_INTERRUPTED);
    struct report report = session_live_report(session);
    struct query_source source = report_source(&report);
    if (session->options.live && session->fetcher)
        name_live(session, &source);
    else if (!session->named)
        name_last(session, &source);
    session->named = true;
    atomic_store(&counts[COUNTER_LATE_NAMES], symbolizer_late(session->symbolizer));
    atomic_store(&counts[COUNTER_UNRESOLVED], count_unresolved(&report));
    return session_live_report(session);
}

// Looks up all names once, under the lock, so that a writer that asks again later changes nothing.
// Names of code that the process generates come with its records.
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
    size_t size = snapshot->run.process_count * sizeof *snapshot->processes;
    snapshot->processes = xmalloc(size + 1);
    if (size)
        memcpy(snapshot->processes, snapshot->run.processes, size);
    snapshot->run.processes = snapshot->processes;
    snapshot->report.run = &snapshot->run;
    snapshot->report.profile = profile_copy(session->profile);
    pthread_mutex_unlock(&session->lock);
    name_copy(session, snapshot);
    snapshot->run.counts[COUNTER_UNRESOLVED] = count_unresolved(&snapshot->report);
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
    // The problem says why nothing can be read.
    bool told = unread && !module->image && module->problem;
    return xasprintf("%s: %s", module->name, told ? module->problem : unwind_end_texts[why]);
}
