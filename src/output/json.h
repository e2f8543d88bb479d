// SPDX-License-Identifier: MIT
#pragma once

#include "base/buf.h"
#include "output/writer.h"

// The facts of a run without its stacks: {"schema":1,"run":{...}} and a newline.
void json_run(struct buf *out, const struct report *report);
