// SPDX-License-Identifier: MIT
// Runners and jobs of a collector: processes that answer what it cannot answer by itself.
#pragma once

#include "serve/collector_state.h"

// Returns the one that answers the question too: the target's runner, or a job that was begun for
// the same question; NULL: there is none.
struct helper *helpers_find(const struct collector *collector, const struct serve_target *target,
                            const struct ask *ask);

// Starts one for a question. text: memory that came with it, -1: none. RC_LIMIT when there are too
// many: runners that sample nothing any more give way to others.
enum rc helpers_start(struct collector *collector, struct serve_target *target,
                      const struct ask *ask, int text, struct helper **helper,
                      struct err *err) MUST_CHECK;

// Says whether it is a short look for figures, which may be taken when nothing is sampled.
bool helpers_is_look(const struct helper *helper);

// Says whether somebody waits for its answer.
bool helpers_has_waiting(const struct collector *collector, const struct helper *helper);

// Somebody asks it: a runner samples for a while.
void helpers_note_use(const struct collector *collector, struct helper *helper,
                      const struct ask *ask);

// Closes its channel, by which it ends, and frees it.
void helpers_forget(struct collector *collector, struct helper *helper);
