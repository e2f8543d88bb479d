// SPDX-License-Identifier: MIT
// Names of a profile that its server knows: Go's /debug/pprof/symbol, which is asked for addresses
// ("0x401196+0x4011a0") and answers lines of address and name ("0x401196 main.work").
#pragma once

#include <stddef.h>

#include "base/buf.h"
#include "profile/plain.h"

// Appends the addresses of locations without lines, in mappings without functions, and returns how
// many there are.
size_t remote_names_ask(const struct plain_profile *profile, struct buf *question);

// Gives these locations the names of an answer and returns how many got one. Lines that are
// malformed are left out.
size_t remote_names_take(struct plain_profile *profile, const char *answer);
