// SPDX-License-Identifier: MIT
// Sums and differences of plain profiles leave their operands as they are. Samples of which no
// value is left are not in the result.
#pragma once

#include "profile/plain.h"

// Adds up count > 0 profiles: the earliest start, the durations together, the longest period, the
// comments of all. RC_USAGE, and *sum is NULL, when their types are not the same. The caller frees
// it.
enum rc plain_merge(const struct plain_profile *const *profiles, size_t count,
                    struct plain_profile **sum, struct err *err) MUST_CHECK;

// Takes a base away from a profile, whose times and comments the result has: what grew since is
// above 0, what shrank is below. Otherwise as plain_merge.
enum rc plain_subtract(const struct plain_profile *profile, const struct plain_profile *base,
                       struct plain_profile **rest, struct err *err) MUST_CHECK;
