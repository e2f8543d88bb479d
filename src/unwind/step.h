// SPDX-License-Identifier: MIT
// A walk goes from frame to frame in steps. Private to the unwinder.
#pragma once

#include "unwind/walk.h"

// Steps from a frame to its caller. *interrupted says whether the frame was interrupted at its pc,
// and on return the same of the caller. Returns false and sets *end at the end of the stack.
bool step_out(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
              enum unwind_end *end);

// Steps by .eh_frame, which is asked about an address. Returns false if that fails.
bool step_by_tables(struct unwinder *unwinder, uint64_t asked);

// Returns whether the kernel started the program here: its first words still lie on the stack. The
// entry of the dynamic linker has no tables that mark it as a root.
bool step_is_entry(struct unwinder *unwinder);
