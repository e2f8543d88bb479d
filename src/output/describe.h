// SPDX-License-Identifier: MIT
// These functions describe a run as text: what was done to the target and how good the profile is.
// They append to `out`.
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

// Appends lines without a head: how it is known what threads did, and what lacks.
void describe_trace(struct buf *out, const struct run_trace *trace);

// Appends lines: rates, sample quality, hold times, CPU time, wall time (`all`) if it was measured,
// how the run ended. folded: number of stacks that were cut by the bound on memory.
void describe_run(struct buf *out, const struct run *run, uint64_t folded, struct cost all);
