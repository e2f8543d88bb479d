// SPDX-License-Identifier: MIT
// What the files of a feed share: feed.c drives the run and takes snapshots, feed_write.c writes
// them.
#pragma once

#include <pthread.h>

#include "collect/session_report.h"
#include "monitor/feed.h"
#include "monitor/gauges.h"
#include "monitor/target_status.h"
#include "monitor/waits.h"

struct feed {
    struct {
        struct replay *replay;
        struct snapshot *still; // of a file, until it is taken
    } made; // snapshots that need no session
    struct session *session; // NULL: there are those
    struct feed_options options;
    pthread_t thread;
    bool has_thread;
    int stop_fd; // eventfd that has the thread end
    int news_fd; // eventfd that has a snapshot taken

    pthread_mutex_t *lock; // the session's; it protects what follows
    bool paused, ended;
    enum rc rc; // why sampling ended by itself
    struct err err;
    struct gauges gauges;
    int64_t gauges_at; // when they are read next
    unsigned execs;
    bool rate_lowered;
    struct {
        char text[256];
        unsigned count;
    } note;

    // What follows is used only by the thread that takes snapshots.
    struct live *live;
    unsigned renumberings; // of the store, when `live` was made
    bool named;            // the last snapshot has all its names
    struct target_status status;
    struct waits *waits;
    struct {
        bool waits;
        pid_t stack; // 0: none
    } want;
    int patience_ms;
};
