// SPDX-License-Identifier: MIT
// Size classes of blocks of memory, in which those of one class are counted together.
#pragma once

#include <stdint.h>

// Returns the largest size of the class of a size: itself up to 1 KiB, then four in each doubling.
uint64_t size_class_of(uint64_t size);

// Returns the largest size of the class below the one whose largest size this is.
uint64_t size_class_below(uint64_t size);
