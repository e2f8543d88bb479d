// SPDX-License-Identifier: MIT
// The stack in a capture: one piece around the stack pointer, and windows.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/capture.h"

// What a walk looked at. Zeroed before it.
struct stack_use {
    uint32_t needed[1 + STACK_WINDOWS]; // bytes of each piece, the windows behind the first one
    unsigned last;                      // piece that was read last
};

// The word at an address of the target, at any alignment; false when it is not in the copy.
bool stack_copy_read(const struct capture *capture, uint64_t address, uint64_t *word,
                     struct stack_use *use);

// Whether the address may lie in a stack of which more could have been copied.
bool stack_copy_is_cut(const struct capture *capture, uint64_t address);

// Whether the stack that this stack pointer belongs to is in the copy.
bool stack_copy_holds(const struct capture *capture, uint64_t sp);

// The address behind what was looked at in the piece that was read last: above a stack that was
// walked to its end nothing is its own.
uint64_t stack_copy_top(const struct capture *capture, const struct stack_use *use);
