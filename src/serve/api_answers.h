// SPDX-License-Identifier: MIT
// What /api/profiling and /debug/stats answer, a function for each question (serve/who_answers.h):
// JSON by the names that users of in-process profilers know. What cannot be known from outside is
// null and has its reason in `unavailable`.
#pragma once

#include <stdio.h>

#include "base/buf.h"
#include "serve/job.h"

struct collector;

enum rc api_job_figures(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc api_job_memory(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc api_job_collection(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc api_job_runtime(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc api_job_goroutines(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc api_job_health(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc api_job_stats(const struct job *job, FILE *out, struct err *err) MUST_CHECK;

// The last readings, the oldest first: at most ask->count, 0: 100.
enum rc api_collect_history(struct collector *collector, struct serve_target *target,
                            const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;

// An action on the target: RC_DENIED unless the server was started with actions allowed, and
// RC_ABSENT, because there is none yet.
enum rc api_collect_act(struct collector *collector, struct serve_target *target,
                        const struct ask *ask, struct buf *out, struct err *err) MUST_CHECK;
