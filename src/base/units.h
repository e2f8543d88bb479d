// SPDX-License-Identifier: MIT
// Values of profiles in words, as pprof writes them: "1.23s", "512.50MB", "42". A unit is a text
// such as "nanoseconds", "bytes" or "count"; one that nobody knows is shown as it is.
#pragma once

#include <stdint.h>

#include "base/buf.h"

#define UNITS_AUTO "auto" // in place of a unit: the largest one of which the value has at least 1

// Converts a value and returns the unit that it then has, which is "" where a unit says nothing. A
// unit of another kind than `from` gives seconds or bytes.
const char *units_scale(int64_t value, const char *from, const char *to, double *scaled);

// Appends the value with two decimals at most, and its unit, escaped.
void units_label(struct buf *out, int64_t value, const char *from, const char *to);

// Returns the one unit in which all values from `least` (not 0) to `most` can be read.
const char *units_common(int64_t least, int64_t most, const char *from);

// Writes how many percent of all a value is, without a sign, in six columns: " 5.88%", "  100%".
#define UNITS_PERCENT 16
const char *units_percent(int64_t value, int64_t all, char text[UNITS_PERCENT]);
