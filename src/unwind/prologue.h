// SPDX-License-Identifier: MIT
// The first instructions of a function tell where its frame pointer points. That serves stacks of
// which only the stack pointer is known: tables say "frame pointer plus 16" and nothing more.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "unwind/code_memory.h"

// Sets the bytes between stack pointer and frame pointer of a function in the middle of its work:
// what its first instructions push and subtract. Returns false when it has no frame pointer, or its
// beginning holds what is not understood here.
bool prologue_frame_size(struct code_memory *memory, uint64_t start, uint64_t *size);

// Sets the target of the direct call before a return address. Returns false if there is none.
bool prologue_called(struct code_memory *memory, uint64_t back, uint64_t *target);

// Returns whether the instruction before a return address is a call that may have led to the
// function: a direct one to it or to a stub, or an indirect one.
bool prologue_is_call(struct code_memory *memory, uint64_t back, uint64_t start);

// Returns whether the instruction before a return address is a call at all.
bool prologue_is_any_call(struct code_memory *memory, uint64_t back);
