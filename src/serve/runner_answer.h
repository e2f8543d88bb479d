// SPDX-License-Identifier: MIT
// What a runner answers: profiles of a window or of all time, and what a page shows.
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "monitor/feed.h"
#include "serve/ask.h"
#include "serve/runner.h"

struct runner_kept { // what runners before this one counted, NULL: nothing; owned
    struct plain_profile *profiles[RUNNER_KEPT];
};

void runner_kept_read(struct runner_kept *kept, const int *memories);
void runner_kept_fini(struct runner_kept *kept);

struct runner_window { // ns of sampling
    int64_t from;      // where it begins; it is as long as the question says
    int64_t begun;     // when what it needs has begun, if that was for this question; else `from`
    int64_t completed; // when the newest slice was
    int64_t counts_since; // when counting what the question is about has begun
    bool ended;        // it is to end now, so it may be shorter
    bool over;         // sampling ended in it
    const struct session_part *part; // what was counted in it, NULL: it has not begun
};

// Returns which of the profiles of all time a question is about; RUNNER_KEPT: none of them.
uint32_t runner_answer_keeps(const struct ask *ask);

// Returns which type of profile a question needs.
enum profile_kind runner_answer_kind(const struct ask *ask);

// Writes the answer to memory. Fails with RC_USAGE for a filter that cannot be understood, RC_GONE
// when there was nothing to see any more, RC_BUSY when it is to end at once, RC_BUSY or RC_DENIED
// when most stops were refused, RC_IO, or what sampling has failed with.
enum rc runner_answer(struct feed *feed, const struct snapshot *snapshot,
                      const struct runner_kept *kept, const struct ask *ask,
                      const struct runner_window *window, int memory, struct err *err) MUST_CHECK;

// Writes what was counted for all time, to be handed over to the next runner.
enum rc runner_answer_kept(struct feed *feed, const struct snapshot *snapshot,
                           const struct runner_kept *kept, uint32_t number, int memory,
                           struct err *err) MUST_CHECK;
