// SPDX-License-Identifier: MIT
// What threads did in a window, in the format of Go's execution traces.
#include "serve/job.h"

#include "base/clock.h"
#include "collect/session_report.h"
#include "collect/session_trace.h"
#include "output/trace.h"

#define LOOK_MS 100
#define MOST (256ull << 20) // bytes of events: of some millions of switches

static bool step(void *context, bool woken)
{
    (void)woken;
    return !job_is_over(context);
}

static enum rc run(const struct job *job, struct session *session, struct err *err)
{
    const struct session_drive drive = {
        .duration = job->ask.window,
        .every_ms = LOOK_MS,
        .fd = job->channel,
        .step = step,
        .context = (void *)job,
    };
    enum rc rc = session_start(session, err);
    if (rc == RC_OK)
        rc = session_run(session, &drive, err);
    *job->partial |= rc == RC_GONE || job_is_over((void *)job);
    return rc == RC_GONE ? RC_OK : rc;
}

static enum rc write_trace(struct session *session, FILE *out, struct err *err)
{
    struct report report = session_report(session);
    struct timeline *timeline = NULL;
    struct run run = *report.run;
    enum rc rc = session_judge(session, err);
    if (rc == RC_OK)
        rc = session_timeline(session, &timeline, err);
    if (rc == RC_OK) {
        run.type = PROFILE_TRACE;
        report_timeline(timeline, &run);
        rc = trace_writer_by_name("go")->write_timeline(timeline, out, err);
    }
    timeline_free(timeline);
    return rc;
}

enum rc job_trace(const struct job *job, FILE *out, struct err *err)
{
    struct session_options options = session_defaults;
    struct session *session;
    options.rate = job->settings->profiles.rate;
    options.types = PROFILE_BIT(PROFILE_TRACE);
    options.max_size = MOST;
    options.wait_for_names = false;
    enum rc rc = session_open(&job->pid, 1, &options, &session, err);
    if (rc != RC_OK)
        return rc;
    rc = run(job, session, err);
    if (rc == RC_OK)
        rc = write_trace(session, out, err);
    session_close(session);
    return rc;
}
