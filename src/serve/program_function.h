// SPDX-License-Identifier: MIT
// The function of the program that a stack is in, for who has room for one name only.
#pragma once

#include <stdint.h>

#include "rows/moment.h"

// Returns the innermost function that is not the C library's or the kernel's; of a stack without
// one, the innermost. "": no name is known.
const char *program_function(const struct moment *moment, uint32_t node);
