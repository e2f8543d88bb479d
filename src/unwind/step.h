// SPDX-License-Identifier: MIT
// A walk goes from frame to frame in steps. Private to the unwinder.
#pragma once

#include "unwind/walk.h"

// Steps from a frame to its caller. *interrupted says whether the frame was interrupted at its pc,
// and on return the same of the caller. Returns false and sets *end at the end of the stack.
bool step_out(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
              enum unwind_end *end);

// One step from the frame at hand by .eh_frame, asked about an address.
bool step_by_tables(struct unwinder *unwinder, uint64_t asked);

// A call to where no code is: the return address is still on top of the stack.
bool step_called_nowhere(struct unwinder *unwinder);

// Whether this is where the kernel started the program: its first words still lie on the stack. The
// entry of the dynamic linker has no tables that mark it as a root.
bool step_is_entry(struct unwinder *unwinder);
