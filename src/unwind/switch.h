// SPDX-License-Identifier: MIT
// A call on another stack: what called lies on the stack that was left. Where that is, the frame
// pointer tells that the callee saved first, or the description of the stack that the code put
// beside it; neither is believed unless a return address lies there that a call of this very
// function left.
#pragma once

#include "unwind/walk.h"

// The registers of what called the function at pc, which changed the stack. False: nothing was
// changed, and *end says whether its own frames begin there, or the other stack is not in the
// capture; then walk->elsewhere_at and _hop tell where its stack pointer lies.
bool switch_step(struct unwinder *unwinder, const struct way_back *way, enum unwind_end *end);
