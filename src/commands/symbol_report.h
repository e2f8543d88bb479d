// SPDX-License-Identifier: MIT
// How well a profile's code could be named, and what would help.
#pragma once

#include "base/buf.h"
#include "output/report.h"

// For the summary: the modules whose samples lack names most, with the package or build id to
// install; modules whose files made trouble. Nothing when all is well.
void symbol_report_missing(struct buf *out, const struct report *report);

// A line for each module with samples in its own code: how many, how many without a name, its build
// id, why it could not be read; then where debug information was looked for.
void symbol_report_modules(struct buf *out, const struct report *report);
