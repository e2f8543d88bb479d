// SPDX-License-Identifier: MIT
#pragma once

#include "base/buf.h"
#include "output/writer.h"
#include "profile/query.h"

// The facts of a run without its stacks: {"schema":1,"run":{...}} and a newline.
void json_run(struct buf *out, const struct report *report);

// Wall time by state and a comma: "KEY":{"running_ns":0,"queued_ns":0,"blocked_ns":0},
void json_wall(struct buf *out, const char *key, struct cost cost);
