// SPDX-License-Identifier: MIT
// Whether a request is let in, as its header says: whether it is one, whether it is for us, who
// sends it, and for which route.
#pragma once

#include "serve/front/exchange.h"

// Returns whether the header announces a body, in whatever way.
bool admission_of_body(const struct exchange *exchange);

// Finds the request's route. Returns false when it is not let in: then it has been answered, and
// *result is MHD's.
bool admission_check(struct exchange *exchange, enum MHD_Result *result);
