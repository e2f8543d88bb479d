// SPDX-License-Identifier: MIT
// Who answers which question: a table.
#pragma once

#include <stdbool.h>

#include "base/buf.h"
#include "serve/ask.h"
#include "serve/job.h"
#include "serve/target.h"

struct collector;

enum answerer {
    BY_NOBODY,    // there is no such thing (yet)
    BY_COLLECTOR, // at once: only files of the kernel are read
    BY_READING,   // as BY_COLLECTOR, when the figures of the target have been read again
    BY_RUNNER,    // the process that samples the target; these and what follows are started
    BY_JOB,       // a process of its own
    BY_LOOK,      // the same for a short while: figures, which are told when nothing is sampled too
};

struct who_answers {
    enum answerer by;
    bool of_target; // the question is about one target, and not about all
    uint32_t fresh_ms; // BY_COLLECTOR, BY_JOB, BY_LOOK: as in struct answer_head
    // BY_COLLECTOR. target: NULL unless of_target.
    enum rc (*collect)(struct collector *collector, struct serve_target *target,
                       const struct ask *ask, struct buf *out, struct err *err);
    enum rc (*job)(const struct job *job, FILE *out, struct err *err); // BY_JOB, BY_LOOK
    bool of_ended; // also about a target that has ended
};

extern const struct who_answers who_answers[ASK_COUNT];
