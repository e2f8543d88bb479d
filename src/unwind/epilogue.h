// SPDX-License-Identifier: MIT
// Code that is about to return says itself where the return address lies. That helps in code which
// a process makes at run time without tables and without frame pointers: Python's trampolines.
#pragma once

#include "unwind/walk.h"

// Steps to the caller if returning is all that the code from pc on does. Else returns false, having
// changed nothing; `fault` of the walk says whether memory was missing.
bool epilogue_step(struct unwinder *unwinder);
