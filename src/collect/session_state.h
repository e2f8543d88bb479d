// SPDX-License-Identifier: MIT
// What the parts of a session share: session.c puts it together, session_run.c
// runs it, session_report.c says what came of it.
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
    uint64_t *start_times; // of the same
    size_t pid_count;
    struct thread_filter *threads; // NULL: all
    struct sampler_config config;
    struct control *control;
    struct watchdog watchdog;
    pid_t sampler; // 0: none runs
    struct modules *modules;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher; // NULL: not started
    struct consumer *consumer;
    struct taker taker;
    int64_t ended_at;      // CLOCK_MONOTONIC ns, 0: it has not
    struct run run;
    uint64_t base[COUNTER_COUNT]; // what had been counted at the last session_reset
    int64_t started, paused_at, paused_ns; // CLOCK_MONOTONIC ns
    bool watched, finished, named;
    struct room room;
    uint64_t throttled, own_throttled; // when it began, ns
    int idle_times; // how often wall time began to be counted
    unsigned renumberings; // of the profile
    pthread_mutex_t lock;
};
