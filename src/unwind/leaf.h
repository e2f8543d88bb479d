// SPDX-License-Identifier: MIT
// Frames that hold nothing yet: the return address is still where the call put it.
#pragma once

#include "unwind/walk.h"

// Whether pc is where a call to no code has led.
bool leaf_is_nowhere(struct unwinder *unwinder);

// To the caller of such a frame. False: the return address cannot be read.
bool leaf_return(struct unwinder *unwinder);

// The caller's registers if pc is in a stub of a procedure linkage table without unwind tables, or
// in hand-written code that ends its tables before a system call. False: nothing was changed.
bool leaf_step(struct unwinder *unwinder);
