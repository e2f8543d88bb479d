// SPDX-License-Identifier: MIT
// For a uretprobe the kernel replaces the return address of the probed function with that of its
// page [uprobes], and keeps the true one for itself. The rest of the stack is unchanged, so the
// caller is found as a function that calls the probed one and whose own return address is where its
// unwind tables say.
#pragma once

#include "unwind/walk.h"

// Steps to the caller. On entry the registers are already the caller's except for the pc, which is
// set here. `asked` is an address in the probed function. *pc is the pc to report: if several calls
// in the caller fit, it is the caller's first instruction and *exact is false. Returns false,
// having changed nothing, if no caller is found.
bool probe_step(struct unwinder *unwinder, uint64_t asked, uint64_t *pc, bool *exact);
