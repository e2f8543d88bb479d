// SPDX-License-Identifier: MIT
// The kernel puts the address of a page of its own, [uprobes], where a function with a return probe
// returns to, and keeps the true one. All else of the frame is as it was: the caller is a function
// that calls the probed one, and whose own return address lies where its tables say.
#pragma once

#include "unwind/walk.h"

// The registers are those of the caller but for its pc, which is set. *pc: what to show of it: its
// first instruction where several of its calls may be meant, and then *exact is false. `asked`: an
// address in the probed function. False: nothing was changed.
bool probe_step(struct unwinder *unwinder, uint64_t asked, uint64_t *pc, bool *exact);
