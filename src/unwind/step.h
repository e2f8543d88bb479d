// SPDX-License-Identifier: MIT
// One step of a walk, private to unwinder.c.
#pragma once

#include "unwind/walk.h"

// From one frame to its caller. *interrupted: whether the frame was interrupted at its pc, then the
// same of the caller. False at the end of the stack, with *end.
bool step_out(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
              enum unwind_end *end);

// A call to where no code is: the return address is still on top of the stack.
bool step_called_nowhere(struct unwinder *unwinder);
