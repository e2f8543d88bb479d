// SPDX-License-Identifier: MIT
// The trace of a session: what makes its timeline, if PROFILE_TRACE is among its types.
#pragma once

#include "collect/recorder.h"
#include "collect/session.h"
#include "collect/switches.h"

struct session_trace { // members are NULL without a trace
    struct recorder *recorder;
    struct switches *switches;
    int64_t until; // CLOCK_MONOTONIC ns: the end of what was recorded
};

// Fails with RC_IO if there is no room for the events.
enum rc session_trace_open(struct session *session, struct err *err) MUST_CHECK;
void session_trace_close(struct session *session);

// Begins to record: when the sampler has been started, which is to have none of its descriptors.
enum rc session_trace_start(struct session *session, struct err *err) MUST_CHECK;
void session_trace_follow(struct session *session, pid_t pid); // a process of which samples come
void session_trace_stop(struct session *session);

// Returns the timeline of a session that has been reported, with names. The caller frees it. It can
// be had once. Fails with RC_LIMIT.
enum rc session_timeline(struct session *session, struct timeline **timeline,
                         struct err *err) MUST_CHECK;
