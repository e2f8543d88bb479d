// SPDX-License-Identifier: MIT
// Code that is about to return says itself where the return address lies. For what a process
// makes at run time without tables, without frame pointers: Python's trampolines.
#pragma once

#include "unwind/walk.h"

// The caller's registers, if returning is all that the code from pc on does. False: nothing was
// changed; the walk is at fault where memory was missing.
bool epilogue_step(struct unwinder *unwinder);
