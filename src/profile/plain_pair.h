// SPDX-License-Identifier: MIT
// Two profiles side by side make one: each of its samples has the values of a profile and, behind
// them, those that its base has of the same stack and labels. So a difference can be shown without
// forgetting what it is a difference of (struct measure).
#pragma once

#include "profile/plain.h"

// Has the values that both profiles have, in the order and with the head of the first: type_count
// is twice their number. RC_USAGE, and *pair is NULL, when there are none. The caller frees it.
enum rc plain_pair(const struct plain_profile *profile, const struct plain_profile *base,
                   struct plain_profile **pair, struct err *err) MUST_CHECK;

// Fills in by what each value of the first profile has to be multiplied so that both have the same
// total of it. Where there is no such number it is 1. factors: [type_count / 2].
void plain_pair_factors(const struct plain_profile *pair, double *factors);
