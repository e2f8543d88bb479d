// SPDX-License-Identifier: MIT
#include "monitor/feed_state.h"

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
                     const struct rows_query *query, int milliseconds,
                     struct plain_profile **profile, struct err *err)
{
    *profile = NULL;
    if (!feed->session)
        return err_set(err, RC_FAIL, "a replay cannot be saved");
    bool named = name_written(feed, &snapshot->moment, milliseconds);
    enum rc rc = rows_extract(&snapshot->moment, query, profile, err);
    if (rc != RC_OK)
        return rc;
    pthread_mutex_lock(feed->lock);
    struct run run = *session_live_report(feed->session).run;
    run.type = filter_kind(&query->filter);
    report_head(*profile, &run);
    pthread_mutex_unlock(feed->lock);
    return named ? RC_OK : RC_TIMEOUT;
}

enum rc feed_write(struct feed *feed, const struct snapshot *snapshot,
                   const struct rows_query *query, FILE *out, struct err *err)
{
    struct plain_profile *shown;
    enum rc rc = feed_extract(feed, snapshot, query, WRITE_PATIENCE_MS, &shown, err);
    if (rc == RC_TIMEOUT)
        rc = err_set(err, rc, "names are still being looked up: try again later");
    if (rc == RC_OK)
        rc = writer_by_name("pprof")->write(&(struct writing){.profile = shown}, out, err);
    plain_free(shown);
    return rc;
}
