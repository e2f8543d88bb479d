// SPDX-License-Identifier: MIT
// Runners and jobs of a collector: processes that answer what it cannot answer by itself.
#pragma once

#include "serve/collector_state.h"

// Returns the one that answers the question too: the target's runner, or a job that was begun for
// the same question; NULL: there is none.
struct helper *helpers_find(const struct collector *collector, const struct serve_target *target,
                            const struct ask *ask);

// Starts one for a question. text: memory that came with it, -1: none. RC_LIMIT when there are too
// many.
enum rc helpers_start(struct collector *collector, struct serve_target *target,
                      const struct ask *ask, int text, struct helper **helper,
                      struct err *err) MUST_CHECK;

// Closes its channel, by which it ends, and frees it.
void helpers_forget(struct collector *collector, struct helper *helper);
