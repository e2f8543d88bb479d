// SPDX-License-Identifier: MIT
// Code of a module without tables (musl, some assembly), or with tables that take a register which
// is not known, says itself where its return address lies: it is followed from pc on to where it
// returns, and what it does to the stack pointer is added up.
#pragma once

#include "unwind/walk.h"

// Steps to the caller if a return is found that takes an address from behind a call. Else returns
// false, having changed nothing but `fault` of the walk, where the copy of the stack was too short,
// and sets *by_frame if nothing speaks against a frame pointer. `start` is where the function
// begins, so that only a call that may have led there counts, or 0. With `made`, code that the
// process made is followed, too.
bool return_path_step(struct unwinder *unwinder, uint64_t start, bool made, bool *by_frame);
