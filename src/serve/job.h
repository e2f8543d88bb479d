// SPDX-License-Identifier: MIT
// A job is one look or one run for one question, in a process of its own: a dump of threads, a
// census, a trace.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"
#include "profile/plain.h"
#include "serve/ask.h"
#include "serve/settings.h"
#include "serve/target.h"

struct job {
    struct ask ask;
    pid_t pid;    // of the target
    const struct serve_target *target; // as it was when the job began, its history too
    int text;     // memory that came with the question, -1: none
    int channel;  // to who asked, filled in when the job runs
    uint32_t *partial; // of its answer, filled in when the job runs
    const struct serve_settings *settings;
};

// Does the job and sends its answer. context: struct job.
void job_serve(int channel, const void *context);

// Says whether nobody waits for the answer any more, or what there is has to do. job: struct job.
bool job_is_over(void *job);

// Waits until a time of CLOCK_MONOTONIC, or until what there is has to do: the answer is partial
// then. RC_GONE: the target has ended, or nobody waits for the answer any more.
enum rc job_wait(const struct job *job, int64_t until, struct err *err) MUST_CHECK;

// Writes what one look gives, in the form that the question names. Of a question about a window it
// is what a look at its end has more than one at its beginning: samples of which there are fewer
// have values below 0.
typedef enum rc job_look(void *context, struct plain_profile **profile, struct err *err);
enum rc job_write_looks(const struct job *job, job_look *look, void *context, FILE *out,
                        struct err *err) MUST_CHECK;

// The jobs, each with the errors of the command that does the same.
enum rc job_threads(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc job_threadcreate(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc job_heap(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc job_trace(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc job_symbol(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
