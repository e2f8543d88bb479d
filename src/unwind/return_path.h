// SPDX-License-Identifier: MIT
// Code of a module without tables (musl, some assembly), or with tables that take a register which
// is not known, says itself where its return address lies: it is followed from pc on to where it
// returns, and what it does to the stack pointer is added up.
#pragma once

#include "unwind/walk.h"

// The caller's registers, if a return is found and takes an address from behind a call. False:
// nothing was changed; the walk is at fault where the copy of the stack was too short. *by_frame:
// nothing is known that speaks against a frame pointer. start: where the function begins, so that
// only a call that may have led there counts; 0: not known. made: code that the process made is
// followed, too.
bool return_path_step(struct unwinder *unwinder, uint64_t start, bool made, bool *by_frame);
