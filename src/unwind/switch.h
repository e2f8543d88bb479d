// SPDX-License-Identifier: MIT
// A function may change the stack before it calls; its own caller is on the stack that it left. The
// pointer to that stack is the frame pointer that the callee saved first, or is in a struct that
// describes the stack. It is trusted only if there is a return address of a call of this function.
#pragma once

#include "unwind/walk.h"

// Steps to the caller of the function at pc, which changed the stack. Returns false, having changed
// no registers, if this is the root of a new stack (UNWIND_BOTTOM), or if the other stack is not in
// the capture (UNWIND_ELSEWHERE): then second_at and second_hop of the result say where the
// pointer to it is.
bool switch_step(struct unwinder *unwinder, const struct way_back *way, enum unwind_end *end);
