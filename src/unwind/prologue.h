// SPDX-License-Identifier: MIT
// Where the frame pointer of a function must point, told by its first instructions. For stacks of
// which only the stack pointer is known: tables say "frame pointer plus 16" and nothing more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/code_memory.h"

// The bytes between the stack pointer and the frame pointer of a function in the middle of its
// work: what its first instructions push and subtract. False when it has no frame pointer, or its
// beginning holds what is not understood here.
bool prologue_frame_size(struct code_memory *memory, uint64_t start, uint64_t *size);

// Where the instruction before a return address, if it is a direct call, leads to.
bool prologue_called(struct code_memory *memory, uint64_t back, uint64_t *target);

// Whether the instruction before a return address is a call that may have led to the function: a
// direct one to it or to a stub, or an indirect one.
bool prologue_is_call(struct code_memory *memory, uint64_t back, uint64_t start);

// Whether the instruction before a return address is a call, to wherever.
bool prologue_is_any_call(struct code_memory *memory, uint64_t back);
