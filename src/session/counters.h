// SPDX-License-Identifier: MIT
// The numbers of a run, from where they are counted.
#pragma once

#include "output/report.h"
#include "profile/run.h"
#include "sample/control.h"

// Those of the samplers.
void counters_copy(struct run *run, const struct control *control);

// What was counted before does not count.
void counters_subtract(struct run *run, const struct run *base);

// Samples whose leaf has no name.
uint64_t counters_unresolved(const struct report *report);
