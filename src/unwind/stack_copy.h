// SPDX-License-Identifier: MIT
// The stack in a capture, in one piece or two.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/capture.h"

// The word at an address of the target, at any alignment; false when it is not in the copy. Raises
// *needed to how much of its piece that took, bytes.
bool stack_copy_read(const struct capture *capture, uint64_t address, uint64_t *word,
                     uint64_t *needed);

// Whether a stack goes on above what was copied of it, and the address lies there.
bool stack_copy_is_cut(const struct capture *capture, uint64_t address);

// Whether the stack that this stack pointer belongs to is in the copy.
bool stack_copy_holds(const struct capture *capture, uint64_t sp);
