// SPDX-License-Identifier: MIT
// These parts of the JSON of profiles are in other documents too.
#pragma once

#include "base/json.h"
#include "profile/cost.h"
#include "profile/run.h"

// Appends a run without its stacks: {"schema":1,"run":{...}} and a newline. folded: number of
// stacks that were cut by the bound on memory.
void output_json_run(struct buf *out, const struct run *run, uint64_t folded);

// Appends "function":"NAME"; for one without a name "function":"","unnamed":"libc.so.6+0x1f0".
void output_json_function(struct json *json, const char *name, bool unnamed);

// Appends wall time by state: "KEY":{"running_ns":0,"queued_ns":0,"blocked_ns":0}
void output_json_wall(struct json *json, const char *key, struct cost cost);
