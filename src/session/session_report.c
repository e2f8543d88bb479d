// SPDX-License-Identifier: MIT
// What came of a session: its numbers, and the profile with its names.
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/patience.h"
#include "base/thread.h"
#include "profile/query.h"
#include "session/counters.h"
#include "session/session_state.h"
#include "session/verdict.h"

#define DOWNLOAD_MS 20000  // for debug files from servers, all together
#define LAST_NAMES_MS 1000 // for those of a screen
#define PROGRESS_MS 20     // that numbers are waited for

static void count_progress(struct session *session)
{
    struct run *run = &session->run;
    struct consumer_counts counts = consumer_counts(session->consumer);
    if (!session->finished)
        run->duration = session_sampled_ns(session);
    counters_copy(run, session->control);
    run->samples = counts.samples;
    run->dropped += counts.left_out;
    run->cut = counts.cut;
    run->frame_pointers = counts.frame_pointers;
    run->cpu_ns = session->has_threads ? counts.threads_cpu_ns : counts.cpu_ns;
    if (session->options.idle) {
        run->asleep = counts.asleep;
        run->samples += counts.asleep;
        run->cut += counts.asleep_cut;
    }
    counters_subtract(run, &session->base);
    run->type = session->options.idle ? RUN_WALL : RUN_CPU;
    run->rate = session->options.rate;
    run->achieved = run->duration ? (double)run->rounds * NS_PER_S / (double)run->duration : 0;
    run->unattributed_ns = counts.unattributed_ns;
    run->held_share = counts.held_share;
    run->threads_sampled = counts.threads + (session->options.idle ? counts.threads_asleep : 0);
    run->processes = consumer_processes(session->consumer);
    run->process_count = counts.processes;
}

// Somebody who only shows numbers does not wait for a stack that takes long: old ones will do.
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
    if (!session->has_threads)
        return RC_OK;
    return verdict_match(session_progress(session), session->pids, session->pid_count,
                         &session->threads, session->options.threads, err);
}

enum rc session_refusal(struct session *session, struct err *err)
{
    return verdict_refusal(session_progress(session), session->pids[0], err);
}

void session_reset(struct session *session)
{
    pthread_mutex_lock(&session->lock);
    session->base = (struct run){0};
    count_progress(session);
    session->base = session->run;
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

static void name_last(struct session *session, const struct query_source *source)
{
    taker_borrow_names(&session->taker);
    query_fetch(source);
    if (!session->options.debuginfod)
        return;
    // Who has servers asked waits for them.
    patience_until(0);
    symbolizer_set_deadline(session->symbolizer, 0);
    symbolizer_download(session->symbolizer, DOWNLOAD_MS);
}

// Who leaves a screen does not wait for the last names as a file does.
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
    session_finish(session, RUN_INTERRUPTED);
    struct report report = session_live_report(session);
    struct query_source source = report_source(&report);
    if (session->options.live && session->fetcher)
        name_live(session, &source);
    else if (!session->named)
        name_last(session, &source);
    session->named = true;
    session->run.late_names = symbolizer_late(session->symbolizer);
    session->run.unresolved = counters_unresolved(&report);
    return report;
}

// Everything is looked up once, under the lock (names of code that the process makes itself come
// with its records): a writer that asks again later changes nothing.
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
    snapshot->run.unresolved = counters_unresolved(&snapshot->report);
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
    bool told = unread && !module->image && module->problem; // that is why there is nothing to read
    return xasprintf("%s: %s", module->name, told ? module->problem : unwind_end_texts[why]);
}
