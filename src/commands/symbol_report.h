// SPDX-License-Identifier: MIT
// The symbol report says how much of a profile's code has names, and what would improve that.
#pragma once

#include "base/buf.h"
#include "output/report.h"

// Appends lines for the summary: modules whose files could not be read, and the modules with most
// samples without names, with the package or build id to install. Nothing if there are neither.
void symbol_report_missing(struct buf *out, const struct report *report);

// Appends a line for each module that is the leaf of samples: how many, how many without a name,
// build id, why it could not be read; then where debug information was searched.
void symbol_report_modules(struct buf *out, const struct report *report);
