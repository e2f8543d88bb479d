// SPDX-License-Identifier: MIT
// The files of a session share its state: session.c puts it together, session_run.c runs it,
// session_report.c says what came of it.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "collect/consumer.h"
#include "collect/room.h"
#include "collect/session.h"
#include "collect/session_report.h"
#include "collect/session_trace.h"
#include "collect/taker.h"
#include "profile/run.h"
#include "sample/sampler.h"
#include "sample/watchdog.h"

struct session {
    struct session_options options;
    struct {
        pid_t *pids;
        uint64_t *start_times; // of these processes
        size_t count;
    } targets;
    struct thread_filter *threads; // NULL: all
    struct sampler_config config;
    struct control *control;
    struct watchdog watchdog;
    pid_t sampler; // 0: none
    struct modules *modules;
    struct profile *profile;
    struct symbolizer *symbolizer;
    struct fetcher *fetcher; // NULL: not started
    struct consumer *consumer;
    struct taker taker;
    struct session_trace trace;
    struct run run;
    struct {
        uint64_t reset[COUNTER_COUNT]; // at the last session_reset
        struct session_mark second;    // at the end of the newest slice
    } counted; // what had been
    struct {
        int64_t started, ended, paused; // CLOCK_MONOTONIC ns; 0: not yet
        int64_t pauses;                 // ns, in all
    } time;
    bool watched, finished, named;
    struct room room;
    struct {
        uint64_t target, own; // ns up to the start
    } throttled;
    struct { // how often so far
        int idle;            // something else began to be counted
        unsigned renumbered; // the profile was
    } times;
    pthread_mutex_t lock;
};

// Completes slices up to the end of a second (CLOCK_MONOTONIC ns), of which all is taken in.
void session_end_second(void *session, int64_t ended);
