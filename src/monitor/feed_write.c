// SPDX-License-Identifier: MIT
#include "monitor/feed_state.h"

#include "collect/verdict.h"

#define WRITE_PATIENCE_MS 10000 // for the names of what is written

// Waits for the names of what is written. A moment from before a renumbering keeps those it has.
static bool name_written(struct feed *feed, const struct moment *moment, int milliseconds)
{
    if (!live_is_of(feed->live, moment->names))
        return true;
    bool named = live_names(feed->live, milliseconds);
    live_name_again(feed->live, moment->profile);
    return named;
}

enum rc feed_extract(struct feed *feed, const struct snapshot *snapshot,
                     const struct rows_query *query, const struct session_part *part,
                     int milliseconds, struct plain_profile **profile, struct err *err)
{
    *profile = NULL;
    if (!feed->session)
        return err_set(err, RC_FAIL, "a replay cannot be saved");
    bool named = name_written(feed, &snapshot->moment, milliseconds);
    enum rc rc = rows_extract(&snapshot->moment, query, profile, err);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(feed->lock);
    struct run run = part ? session_run_of(feed->session, part)
                          : *session_live_report(feed->session).run;
    run.type = filter_kind(&query->filter);
    report_head(*profile, &run);
    pthread_mutex_unlock(feed->lock);
    return named ? RC_OK : RC_TIMEOUT;
}

enum rc feed_write(struct feed *feed, const struct snapshot *snapshot,
                   const struct rows_query *query, FILE *out, struct err *err)
{
    struct plain_profile *shown;
    enum rc rc = feed_extract(feed, snapshot, query, NULL, WRITE_PATIENCE_MS, &shown, err);
    if (rc == RC_TIMEOUT)
        rc = err_set(err, rc, "names are still being looked up: try again later");
    if (rc == RC_OK)
        rc = writer_by_name("pprof")->write(&(struct writing){.profile = shown}, out, err);
    plain_free(shown);
    return rc;
}

struct feed_time feed_time(struct feed *feed)
{
    pthread_mutex_lock(feed->lock);
    struct feed_time time = {.elapsed = session_sampled_ns(feed->session),
                             .completed = slices_completed(session_slices(feed->session)),
                             .ended = feed->ended || feed->rc != RC_OK};
    pthread_mutex_unlock(feed->lock);
    return time;
}

void feed_mark(struct feed *feed, struct session_mark *mark)
{
    pthread_mutex_lock(feed->lock);
    session_mark(feed->session, mark);
    pthread_mutex_unlock(feed->lock);
}

enum rc feed_refusal(struct feed *feed, const struct session_part *part, struct err *err)
{
    pthread_mutex_lock(feed->lock);
    struct run run = session_run_of(feed->session, part);
    pid_t pid = run.process_count ? run.processes[0].pid : 0;
    pthread_mutex_unlock(feed->lock);
    return verdict_refusal(&run, pid, err);
}
