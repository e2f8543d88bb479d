// SPDX-License-Identifier: MIT
// The figures of one reading, by the names of dashboards of Go programs.
#pragma once

#include "serve/api_look.h"
#include "serve/metrics.h"

struct api_figures {
    const struct serve_target *target;
    const struct metrics *metrics; // NULL: there is no reading yet
    const struct metrics *before;  // the reading before it, NULL: there is none
    const struct api_look *look;   // NULL: readings of the past have none
    double memory_percent;         // of what it may have; NAN: not known
};

// Writes the object `memory`.
void api_figures_put_memory(struct api_json *api, const struct api_figures *figures);

// Returns a figure of the newest reading of a target, API_UNKNOWN when it is not known.
uint64_t api_figures_now(const struct serve_target *target, enum metric metric);
