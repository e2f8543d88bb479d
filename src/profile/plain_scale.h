// SPDX-License-Identifier: MIT
#pragma once

#include "profile/plain.h"

// Returns a copy of which the values of each type are multiplied by its factor and rounded; 0 gives
// nothing. A product that 64 bits do not hold stays at their bound. The caller frees it.
struct plain_profile *plain_scale(const struct plain_profile *profile, const double *factors);

// Returns the product of one value in the same way.
int64_t plain_scaled(int64_t value, double factor);
