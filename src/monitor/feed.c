// SPDX-License-Identifier: MIT
#include "monitor/feed.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/thread.h"
#include "monitor/feed_state.h"
#include "monitor/snapshot_text.h"

#define STEP_MS 100
#define PATIENCE_MS 100

static void tell(struct feed *feed, const char *format, ...) PRINTF_LIKE(2, 3);

static void tell(struct feed *feed, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(feed->note.text, sizeof feed->note.text, format, args);
    va_end(args);
    feed->note.count++;
    eventfd_write(feed->news_fd, 1);
}

// --- the thread that samples ---

static void back_off(struct feed *feed, const struct run *run)
{
    if (feed->options.no_backoff || !gauges_back_off(&feed->gauges))
        return;
    session_slow_down(feed->session, feed->gauges.slowdown);
    tell(feed, "a thread was held for more than %g %% of its time: rate lowered to %g Hz "
               "(--no-backoff keeps it)",
         OVERHEAD_MOST_PERCENT, run->rate / feed->gauges.slowdown);
}

static void read_gauges(struct feed *feed, const struct run *run)
{
    int64_t worst, all, now = clock_now();
    if (!feed->gauges.cpu_at && run->process_count)
        gauges_cpu(&feed->gauges, now, target_status_cpu(run->processes, run->process_count));
    if (now < feed->gauges_at || feed->paused)
        return;
    feed->gauges_at = now + NS_PER_S;
    session_held(feed->session, &worst, &all);
    gauges_add(&feed->gauges, run->duration, run, worst, all);
    gauges_cpu(&feed->gauges, now, target_status_cpu(run->processes, run->process_count));
    back_off(feed, run);
}

static void look_for_news(struct feed *feed, const struct run *run)
{
    unsigned execs = 0;
    for (size_t i = 0; i < run->process_count; i++)
        execs += run->processes[i].execs;
    if (execs > feed->execs)
        tell(feed, "the target ran another program (exec)");
    feed->execs = execs;
    bool lowered = run->counts[COUNTER_RATE_LOWERED];
    if (lowered && !feed->rate_lowered)
        tell(feed, "the rate falls when a thread would be held for more than 1 %% of its time");
    feed->rate_lowered = lowered;
}

static bool advance(void *context, bool stop)
{
    struct feed *feed = context;
    pthread_mutex_lock(feed->lock);
    const struct run *run = session_progress(feed->session);
    session_advance(feed->session);
    look_for_news(feed, run);
    read_gauges(feed, run);
    pthread_mutex_unlock(feed->lock);
    return !stop;
}

static void end(struct feed *feed, enum rc rc, const struct err *err)
{
    session_finish(feed->session);
    slices_charge(session_slices(feed->session),
                  session_progress(feed->session)->counts[COUNTER_CPU_NS]);
    // What the last moments brought is to be seen in the windows too.
    slices_advance(session_slices(feed->session),
                   session_progress(feed->session)->duration + NS_PER_S);
    feed->ended = rc == RC_GONE;
    if (rc != RC_OK && rc != RC_GONE) {
        feed->rc = rc;
        feed->err = *err;
        tell(feed, "%.*s", (int)sizeof feed->note.text - 1, err->text);
    }
    eventfd_write(feed->news_fd, 1);
}

static void *run_session(void *context)
{
    struct feed *feed = context;
    struct err err = {0};
    enum rc rc = session_run(feed->session, &(struct session_drive){
        .every_ms = STEP_MS, .fd = feed->stop_fd, .step = advance, .context = feed}, &err);
    pthread_mutex_lock(feed->lock);
    end(feed, rc, &err);
    pthread_mutex_unlock(feed->lock);
    return NULL;
}

// --- beginning and end ---

static enum rc start_thread(struct feed *feed, struct err *err)
{
    int errnum = thread_start(&feed->thread, run_session, feed);
    feed->has_thread = errnum == 0;
    return errnum ? limits_sys(err, RC_FAIL, errnum, "cannot start a thread") : RC_OK;
}

static struct feed *feed_new(void)
{
    struct feed *feed = xcalloc(1, sizeof *feed);
    feed->stop_fd = feed->news_fd = -1;
    feed->patience_ms = PATIENCE_MS;
    gauges_init(&feed->gauges);
    return feed;
}

enum rc feed_live(struct session *session, const struct feed_options *options, struct feed **out,
                  struct err *err)
{
    struct feed *feed = feed_new();
    feed->session = session;
    feed->waits = waits_new();
    feed->options = *options;
    feed->lock = session_lock(session);
    feed->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feed->news_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    feed->gauges_at = clock_now() + NS_PER_S;
    slices_advance(session_slices(session), 0);
    enum rc rc = feed->stop_fd < 0 || feed->news_fd < 0
                     ? limits_sys(err, RC_FAIL, errno, "cannot watch a run")
                     : session_start(session, err);
    if (rc == RC_OK)
        rc = start_thread(feed, err);
    if (rc == RC_OK)
        *out = feed;
    else
        feed_free(feed);
    return rc;
}

enum rc feed_replay(const char *path, struct feed **out, struct err *err)
{
    struct replay *replay;
    enum rc rc = replay_open(path, &replay, err);
    if (rc != RC_OK)
        return rc;
    struct feed *feed = feed_new();
    feed->made.replay = replay;
    *out = feed;
    return RC_OK;
}

struct feed *feed_still(struct snapshot *snapshot)
{
    struct feed *feed = feed_new();
    feed->made.still = snapshot;
    return feed;
}

static void stop_thread(struct feed *feed)
{
    if (!feed->has_thread)
        return;
    eventfd_write(feed->stop_fd, 1);
    pthread_join(feed->thread, NULL);
    feed->has_thread = false;
}

enum rc feed_judge(struct feed *feed, struct err *err)
{
    stop_thread(feed);
    return session_judge(feed->session, err);
}

struct report feed_finish(struct feed *feed)
{
    stop_thread(feed);
    return session_report(feed->session);
}

void feed_free(struct feed *feed)
{
    if (!feed)
        return;
    stop_thread(feed);
    session_close(feed->session);
    live_free(feed->live);
    replay_free(feed->made.replay);
    snapshot_free(feed->made.still);
    target_status_fini(&feed->status);
    waits_free(feed->waits);
    cleanup_fd(&feed->stop_fd);
    cleanup_fd(&feed->news_fd);
    free(feed);
}

// --- snapshots ---

static void copy_run(const struct feed *feed, const struct run *run, struct snapshot *snapshot)
{
    snapshot->elapsed = run->duration;
    snapshot->rate = run->rate / feed->gauges.slowdown;
    snapshot->achieved = run->achieved;
    memcpy(snapshot->counts, run->counts, sizeof snapshot->counts);
    gauges_copy(&feed->gauges, snapshot);
    snapshot->behind = snapshot->late > 10 ? session_behind(feed->session) : 0;
    for (size_t i = 0; i < run->process_count; i++) {
        snapshot->process_count += !run->processes[i].ended;
        snapshot->execs += run->processes[i].execs;
    }
    if (!run->process_count)
        return;
    snapshot->pid = run->processes[0].pid;
    memcpy(snapshot->comm, run->processes[0].comm, sizeof snapshot->comm);
}

static void copy_state(const struct feed *feed, struct snapshot *snapshot)
{
    snapshot->paused = feed->paused;
    snapshot->end = feed->ended ? TARGET_ENDED : TARGET_RUNS;
    snapshot->note_count = feed->note.count;
    memcpy(snapshot->note, feed->note.text, sizeof snapshot->note);
}

static void follow(struct feed *feed, const struct profile *store)
{
    unsigned renumberings = session_renumberings(feed->session);
    if (feed->live && (renumberings != feed->renumberings || live_is_worn(feed->live))) {
        live_free(feed->live);
        feed->live = NULL;
    }
    if (!feed->live) {
        feed->renumberings = renumberings;
        struct live_source source = session_live_source(feed->session);
        feed->live = live_new(&source);
    }
    live_follow(feed->live, store);
}

// Copies all that the session changes. The caller frees *processes.
static size_t copy_session(struct feed *feed, struct snapshot *snapshot,
                           struct run_process **processes)
{
    pthread_mutex_lock(feed->lock);
    struct report report = session_live_report(feed->session);
    size_t count = report.run->process_count;
    follow(feed, report.profile);
    snapshot->moment.slices = slices_copy(session_slices(feed->session));
    snapshot->moment.since_reset = report.run->duration;
    copy_run(feed, report.run, snapshot);
    copy_state(feed, snapshot);
    *processes = xcopy(report.run->processes, count, sizeof **processes);
    pthread_mutex_unlock(feed->lock);
    return count;
}

static void add_waits(struct feed *feed, struct snapshot *snapshot)
{
    if (!(feed->want.waits || feed->want.stack) || snapshot->end != TARGET_RUNS ||
        snapshot->paused)
        return;
    waits_read(feed->waits, snapshot->pid, feed->patience_ms);
    waits_apply(feed->waits, &snapshot->moment);
    waits_stack(feed->waits, feed->want.stack, &snapshot->moment);
}

// What threads wait for hangs on names. Locations may have been renumbered since they were named.
static void name_waits(struct feed *feed)
{
    if (!feed->named)
        return; // the fetcher may be at work
    pthread_mutex_lock(feed->lock);
    if (session_renumberings(feed->session) == feed->renumberings)
        session_take_names(feed->session, live_named(feed->live));
    pthread_mutex_unlock(feed->lock);
}

static struct snapshot *take_still(struct feed *feed)
{
    struct snapshot *still = feed->made.still;
    feed->made.still = NULL;
    return still;
}

struct snapshot *feed_take(struct feed *feed)
{
    eventfd_t ignored;
    AUTO_FREE struct run_process *processes = NULL;
    if (feed->made.replay)
        return replay_next(feed->made.replay);
    if (!feed->session)
        return take_still(feed);
    struct snapshot *snapshot = xcalloc(1, sizeof *snapshot);
    struct moment *moment = &snapshot->moment;
    snapshot->taken = clock_now();
    snapshot->cpus = (unsigned)sysconf(_SC_NPROCESSORS_ONLN);
    eventfd_read(feed->news_fd, &ignored);
    size_t count = copy_session(feed, snapshot, &processes);
    feed->named = live_names(feed->live, feed->patience_ms);
    name_waits(feed);
    moment->profile = live_take(feed->live, &moment->sampled);
    moment->names = live_functions(feed->live);
    target_status_read(&feed->status, processes, count);
    target_status_copy(&feed->status, snapshot);
    add_waits(feed, snapshot);
    return snapshot;
}

bool feed_refresh(struct feed *feed, struct snapshot *snapshot)
{
    eventfd_t ignored;
    if (!feed->session)
        return false;
    eventfd_read(feed->news_fd, &ignored);
    pthread_mutex_lock(feed->lock);
    if (feed->ended)
        snapshot->end = TARGET_ENDED;
    pthread_mutex_unlock(feed->lock);
    if (feed->named)
        return false;
    feed->named = live_names(feed->live, feed->patience_ms);
    return feed->named;
}

void feed_keep_up(struct feed *feed)
{
    if (!feed->session)
        return;
    pthread_mutex_lock(feed->lock);
    bool wanted = session_wants_names(feed->session);
    if (wanted)
        follow(feed, session_live_report(feed->session).profile);
    pthread_mutex_unlock(feed->lock);
    if (!wanted)
        return;
    feed->named = live_names(feed->live, PATIENCE_MS);
    name_waits(feed);
}

void feed_name_ahead(struct feed *feed)
{
    pthread_mutex_lock(feed->lock);
    follow(feed, session_live_report(feed->session).profile);
    pthread_mutex_unlock(feed->lock);
    feed->named = live_names(feed->live, 0);
}

void feed_set_patience(struct feed *feed, int milliseconds)
{
    feed->patience_ms = milliseconds;
}

void feed_want_waits(struct feed *feed, bool wanted, pid_t stack)
{
    feed->want.waits = wanted;
    feed->want.stack = stack;
}

void feed_want_types(struct feed *feed, unsigned types)
{
    if (!feed->session)
        return;
    pthread_mutex_lock(feed->lock);
    session_count(feed->session, types);
    pthread_mutex_unlock(feed->lock);
}

bool feed_is_still(const struct feed *feed)
{
    return !feed->session && !feed->made.replay;
}

bool feed_is_replay(const struct feed *feed)
{
    return !feed->session;
}

int feed_fd(const struct feed *feed)
{
    return feed->news_fd;
}

void feed_pause(struct feed *feed, bool paused)
{
    if (!feed->session)
        return;
    pthread_mutex_lock(feed->lock);
    session_pause(feed->session, paused);
    feed->paused = paused;
    pthread_mutex_unlock(feed->lock);
}

void feed_stop_nobody(struct feed *feed, bool in_place)
{
    session_stop_nobody(feed->session, in_place);
}

void feed_reset(struct feed *feed)
{
    if (!feed->session)
        return;
    pthread_mutex_lock(feed->lock);
    session_reset(feed->session);
    gauges_restart(&feed->gauges);
    feed->gauges_at = clock_now() + NS_PER_S;
    slices_advance(session_slices(feed->session), 0);
    pthread_mutex_unlock(feed->lock);
}

enum rc feed_error(struct feed *feed, struct err *err)
{
    if (!feed->session)
        return RC_OK;
    pthread_mutex_lock(feed->lock);
    enum rc rc = feed->rc;
    if (rc != RC_OK && err)
        *err = feed->err;
    pthread_mutex_unlock(feed->lock);
    return rc;
}
