// SPDX-License-Identifier: MIT
// The state that session.c, which runs a session, and session_report.c share.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/consumer.h"
#include "collect/room.h"
#include "collect/session.h"
#include "collect/taker.h"
#include "profile/run.h"
#include "sample/sampler.h"
#include "sample/watchdog.h"

struct session {
    struct session_options options;
    pid_t *pids;
    uint64_t *start_times; // of the pids, in the same order
    size_t pid_count;
    struct thread_filter *threads; // NULL: all
    struct sampler_config config;
    struct control *control;
    struct watchdog watchdog;
    pid_t sampler; // 0: no sampler runs
    struct modules *modules;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher; // NULL: not started
    struct consumer *consumer;
    struct taker taker;
    int64_t ended_at;      // CLOCK_MONOTONIC ns, 0: it has not ended
    struct run run;
    uint64_t base[COUNTER_COUNT]; // counters at the last session_reset
    int64_t started, paused_at, paused_ns; // CLOCK_MONOTONIC ns
    bool watched, finished, named;
    struct room room;
    uint64_t throttled, own_throttled; // throttled time when the session began, ns
    int idle_times; // how often counting wall time began
    pthread_mutex_t lock;
};

// Returns for how long it has sampled so far, ns, without pauses.
int64_t session_sampled_ns(const struct session *session);
