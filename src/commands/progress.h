// SPDX-License-Identifier: MIT
// The line on the terminal that says how far a run has come and how good it is so far.
#pragma once

#include <stdint.h>

#include "profile/run.h"

// Replaces what the line said before. elapsed, duration: ns; duration 0: until somebody stops it.
void progress_show(const struct run *run, int64_t elapsed, int64_t duration);

void progress_clear(void);
