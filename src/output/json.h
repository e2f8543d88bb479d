// SPDX-License-Identifier: MIT
// What of the JSON of profiles other documents have too.
#pragma once

#include "base/json.h"
#include "profile/cost.h"
#include "profile/run.h"

// The facts of a run without its stacks: {"schema":1,"run":{...}} and a newline. folded: the stacks
// that the bound on memory cut.
void output_json_run(struct buf *out, const struct run *run, uint64_t folded);

// "function":"NAME"; of one that is called by its place "function":"","unnamed":"libc.so.6+0x1f0".
void output_json_function(struct json *json, const char *name, bool unnamed);

// Wall time by state: "KEY":{"running_ns":0,"queued_ns":0,"blocked_ns":0}
void output_json_wall(struct json *json, const char *key, struct cost cost);
