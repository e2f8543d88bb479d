// SPDX-License-Identifier: MIT
// A job is one look or one run for one question, in a process of its own: a dump of threads, a
// census, a trace.
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/err.h"
#include "serve/ask.h"
#include "serve/settings.h"
#include "serve/target.h"

struct job {
    struct ask ask;
    pid_t pid;    // of the target
    const struct serve_target *target; // as it was when the job began, its history too
    int text;     // memory that came with the question, -1: none
    int channel;  // to who asked, filled in when the job runs
    const struct serve_settings *settings;
};

// Does the job and sends its answer. context: struct job.
void job_serve(int channel, const void *context);

// Says whether nobody waits for the answer any more. job: struct job.
bool job_is_over(void *job);

// The jobs, each with the errors of the command that does the same.
enum rc job_threads(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
enum rc job_heap(const struct job *job, FILE *out, struct err *err) MUST_CHECK;
