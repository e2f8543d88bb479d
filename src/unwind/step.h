// SPDX-License-Identifier: MIT
// One step of a walk, private to unwinder.c.
#pragma once

#include "unwind/walk.h"

// From one frame to its caller. *interrupted: whether the frame was interrupted at its pc, then the
// same of the caller. False at the end of the stack, with *end.
bool step_out(struct unwinder *unwinder, bool *interrupted, enum unwind_step *how,
              enum unwind_end *end);

// One step from the frame at hand by .eh_frame, asked about an address.
bool step_by_tables(struct unwinder *unwinder, uint64_t asked);

// Whether this is where the kernel started the program: its first words still lie on the stack. The
// entry of the dynamic linker has no tables that mark it as a root.
bool step_is_entry(struct unwinder *unwinder);
