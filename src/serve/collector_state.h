// SPDX-License-Identifier: MIT
// What the files of the collector share: collector.c has its loop, questions.c passes questions on
// and answers back, collected.c and its like answer by themselves.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "serve/access.h"
#include "serve/ask.h"
#include "serve/collector.h"
#include "serve/control.h"
#include "serve/fronts.h"
#include "serve/http_counts.h"
#include "serve/listeners.h"
#include "serve/settings.h"
#include "serve/target.h"
#include "serve/worker_process.h"

struct helper { // a runner or a job
    struct worker_process process;
    struct serve_target *target;
    pid_t pid;        // of the process that was the target when this began
    struct ask about; // of a job: what all who wait for it have asked
    bool is_runner;
    int64_t samples_until; // of a runner, CLOCK_MONOTONIC ns: nothing but old ranges keeps it then
    bool gives_way;        // it has been told to go, since another one is to be sampled
};

struct waiting { // the front waits for an answer
    struct helper *helper; // NULL: for the next reading of `target`
    struct serve_target *target;
    uint32_t front_id, id; // its number there, and that of the helper's question
    uint32_t keeps; // number of the profile of all time that the answer is; RUNNER_KEPT: none
};

struct leaving_front { // it answers what it has been asked, and soon nothing more
    struct worker_process process;
    uint32_t number;
    int64_t asks_until, leave_by; // CLOCK_MONOTONIC ns: until then it may ask; it may stay
};

struct collector {
    struct serve_settings settings;
    struct target_list targets;
    struct listeners listeners;
    struct access access;
    struct worker_process front;
    uint32_t front_number; // its questions have numbers that begin with it
    struct leaving_front leaving[FRONTS_MOST - 1];
    unsigned front_deaths; // in a row
    struct http_counts *requests; // by all of them
    struct helper **helpers; // owned
    size_t helper_count, helper_capacity;
    struct waiting *waiting; // owned
    size_t waiting_count, waiting_capacity;
    uint32_t last_id;
    int signals, ticks, looks; // descriptors
    const struct collector_host *host;
    bool is_off;        // nothing is sampled
    int64_t end_by;     // CLOCK_MONOTONIC ns: then the server ends; 0: nobody wants that
    int64_t told_alive; // the same: when the service manager heard last that we are
};

// Goes by settings that are new. On failure it goes by the old ones.
enum rc collector_apply(struct collector *collector, const struct serve_settings *settings,
                        struct err *err) MUST_CHECK;

// Takes the next question of a front; false when it has closed the channel.
bool questions_take(struct collector *collector, struct worker_process *front);

// Takes what a helper's channel is ready for (events of poll; 0: only the time has passed): its
// next answer, or a question that had to wait. When it has ended or is stuck it is forgotten, and
// who waits for it is told.
void questions_answer(struct collector *collector, struct helper *helper, short events);

// Answers those who wait for the next readings, which are there.
void questions_tell(struct collector *collector);

// Nobody waits for anything any more there: a front has ended.
void questions_forget(struct collector *collector, const struct worker_process *front);

// Has all runs answered with what there is; when the server is to end, short looks too.
void questions_finish(struct collector *collector);

// Ends all helpers.
void questions_end(struct collector *collector);
