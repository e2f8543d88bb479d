// SPDX-License-Identifier: MIT
// A capture holds the stack in pieces: one around the stack pointer, and windows.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sample/capture.h"

// What a walk has read; zeroed before the walk.
struct stack_use {
    uint32_t needed[1 + STACK_WINDOWS]; // bytes read of each piece; windows follow the first piece
    unsigned last;                      // the piece that was read last
};

// Reads a word at any alignment. Returns false if it is not in the copy.
bool stack_copy_read(const struct capture *capture, uint64_t address, uint64_t *word,
                     struct stack_use *use);

// Says whether the address may be in a stack of which only a part was copied.
bool stack_copy_is_cut(const struct capture *capture, uint64_t address);

// Says whether the copy has the stack of this stack pointer.
bool stack_copy_holds(const struct capture *capture, uint64_t sp);

// Returns the address after the highest byte read in the last piece. If the walk reached the root,
// that is the end of the stack.
uint64_t stack_copy_top(const struct capture *capture, const struct stack_use *use);
