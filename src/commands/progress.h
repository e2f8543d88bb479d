// SPDX-License-Identifier: MIT
// The progress line on the terminal shows elapsed time and sample quality of a run.
#pragma once

#include <stdint.h>

#include "profile/run.h"

// Draws a line over the previous one: a bar of the time, and the rest.
void progress_line(int64_t elapsed, int64_t duration, const char *rest);

// Draws the line of a run. elapsed, duration: ns; duration 0: until it is stopped.
void progress_show(const struct run *run, int64_t elapsed, int64_t duration);

void progress_clear(void);
