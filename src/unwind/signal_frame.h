// SPDX-License-Identifier: MIT
// The kernel puts the registers of what a signal interrupts on the stack of its handler.
#pragma once

#include "unwind/walk.h"

// Steps to the interrupted function from where a handler returns to, if the C library wrote no
// tables for that code (musl, Go). Returns false, having changed nothing, if pc is elsewhere.
bool signal_frame_step(struct unwinder *unwinder);

// Returns where the kernel keeps the interrupted stack pointer, by that of the code which asks.
uint64_t signal_frame_sp_at(uint64_t sp);
