// SPDX-License-Identifier: MIT
// What a fuzz program consists of: the function that libFuzzer calls too, and inputs to begin with.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

// Takes any bytes. A crash, a report of the sanitizers or a run of many seconds is a bug.
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

// Appends the input with that number, which is well-formed; false when there is none.
bool fuzz_seed(size_t number, struct buf *out);
