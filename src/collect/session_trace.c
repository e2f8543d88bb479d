// SPDX-License-Identifier: MIT
#include "collect/session_trace.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "collect/session_state.h"
#include "profile/fill.h"

enum rc session_trace_open(struct session *session, struct err *err)
{
    const struct session_options *options = &session->options;
    const char *temporary = getenv("TMPDIR");
    const char *const directories[] = {
        options->trace_directory, temporary && *temporary ? temporary : "/tmp", "/var/tmp", NULL};
    const struct recorder_options recording = {
        .directories = directories + !options->trace_directory,
        .max_size = options->max_size,
    };
    enum rc rc = recorder_new(&recording, &session->trace.recorder, err);
    if (rc != RC_OK)
        return rc;
    session->trace.switches = switches_new(session->trace.recorder, options->children);
    consumer_trace(session->consumer, session->trace.recorder);
    return RC_OK;
}

void session_trace_close(struct session *session)
{
    switches_free(session->trace.switches);
    recorder_free(session->trace.recorder);
}

enum rc session_trace_start(struct session *session, struct err *err)
{
    if (!session->trace.switches)
        return RC_OK;
    for (size_t i = 0; i < session->targets.count; i++)
        switches_follow(session->trace.switches, session->targets.pids[i]);
    return switches_start(session->trace.switches, err);
}

void session_trace_follow(struct session *session, pid_t pid)
{
    if (session->trace.switches)
        switches_follow(session->trace.switches, pid);
}

void session_trace_stop(struct session *session)
{
    session->trace.until = clock_now();
    if (session->trace.switches)
        switches_stop(session->trace.switches);
}

static bool is_wanted(const struct session *session, const struct timeline *timeline,
                      uint32_t thread)
{
    const struct plain_profile *profile = timeline->profile;
    const struct plain_label *name = plain_label(profile, timeline->threads[thread], "thread");
    return thread_filter_matches(session->threads, name ? plain_string(profile, name->text) : "");
}

// Switches are told of all threads, because names come with them.
static void drop_unwanted(const struct session *session, struct timeline *timeline)
{
    AUTO_FREE bool *wanted = xcalloc(timeline->thread_count + 1, sizeof *wanted);
    size_t kept = 0;
    for (uint32_t i = 0; i < timeline->thread_count; i++)
        wanted[i] = is_wanted(session, timeline, i);
    for (size_t i = 0; i < timeline->event_count; i++)
        if (wanted[timeline->events[i].thread])
            timeline->events[kept++] = timeline->events[i];
    timeline->event_count = kept;
}

enum rc session_timeline(struct session *session, struct timeline **timeline, struct err *err)
{
    const struct query_source source = {session->profile, session->modules, session->symbolizer,
                                        .type = &profile_types[PROFILE_TRACE]};
    struct run_trace *facts = &session->run.trace;
    enum rc rc = recorder_finish(session->trace.recorder, session->time.started,
                                 session->trace.until, timeline, err);
    if (rc != RC_OK)
        return rc;
    recorder_facts(session->trace.recorder, facts);
    switches_facts(session->trace.switches, facts);
    if (session->threads)
        drop_unwanted(session, *timeline);
    fill_timeline(&source, &session->run, *timeline);
    return RC_OK;
}
