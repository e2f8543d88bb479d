// SPDX-License-Identifier: MIT
// What a client would rather have, as the Accept field of a request says. Nothing here knows the
// library that reads HTTP.
#pragma once

// Returns how much a type is wanted, in thousandths; 0: it is not named, or not wanted. Of several
// versions of a type the one that is wanted most counts.
unsigned accept_weight(const char *field, const char *type);
