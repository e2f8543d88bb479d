// SPDX-License-Identifier: MIT
// What the kernel puts on a stack for a signal handler: the registers of what it interrupts.
#pragma once

#include "unwind/walk.h"

// The interrupted registers, where a handler returns to code for which the C library wrote no
// tables (musl, Go): it asks the kernel for them. False: pc is elsewhere, nothing was changed.
bool signal_frame_step(struct unwinder *unwinder);

// Where the kernel keeps the interrupted stack pointer, by that of the code which asks.
uint64_t signal_frame_sp_at(uint64_t sp);
