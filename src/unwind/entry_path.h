// SPDX-License-Identifier: MIT
// Code without tables that never returns (the C library's start of a program and of a thread where
// it is musl, exit, abort) cannot be followed to its return. It is followed from where it was
// called: a return address higher up belongs to it if the way from that call's target leads to pc
// and takes as much of the stack as lies between them.
#pragma once

#include "unwind/walk.h"

// Steps to the caller, of which pc and stack pointer are known then. A return address that leads to
// the end of the thread, or behind which the kernel's first words lie, needs no such way if no
// other one lies below it. Returns false, having changed nothing, if there is no caller.
bool entry_path_step(struct unwinder *unwinder);
