// SPDX-License-Identifier: MIT
// A run in words: what was done to the target and how good the answer is.
#pragma once

#include "base/buf.h"
#include "profile/cost.h"
#include "profile/run.h"

// "4242 (postgres)", or the number alone; safe for a terminal.
void describe_process(struct buf *out, const struct run_process *process);

// "4242 (postgres), 4243 (bash)": the first few processes of the run.
void describe_targets(struct buf *out, const struct run *run);

// "running 6.1%  queued 7.7%  blocked 86.2%"
void describe_states(struct buf *out, struct cost wall);

// A few lines, each ended by a newline: rates, sample quality, hold times, CPU time, wall time
// where it was counted (`all` of it), how it ended. folded: stacks that the bound on memory cut.
void describe_run(struct buf *out, const struct run *run, uint64_t folded, struct cost all);
