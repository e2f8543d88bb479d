// SPDX-License-Identifier: MIT
#pragma once

#include "base/buf.h"
#include "profile/cost.h"
#include "profile/run.h"

// The facts of a run without its stacks: {"schema":1,"run":{...}} and a newline. folded: the stacks
// that the bound on memory cut.
void json_run(struct buf *out, const struct run *run, uint64_t folded);

// "function":"NAME"; of one that is called by its place "function":"","unnamed":"libc.so.6+0x1f0".
void json_function(struct buf *out, const char *name, bool unnamed);

// Wall time by state and a comma: "KEY":{"running_ns":0,"queued_ns":0,"blocked_ns":0},
void json_wall(struct buf *out, const char *key, struct cost cost);
