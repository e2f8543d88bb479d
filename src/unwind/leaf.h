// SPDX-License-Identifier: MIT
// Frames that hold nothing yet: the return address is still where the call put it.
#pragma once

#include "unwind/walk.h"

// Returns whether a call to an address without code has led to pc.
bool leaf_is_nowhere(struct unwinder *unwinder);

// Steps to the caller of such a frame. Returns false if the return address cannot be read.
bool leaf_return(struct unwinder *unwinder);

// Steps to the caller if pc is in a stub of a procedure linkage table without unwind tables, or in
// hand-written code that ends its tables before a system call. Else returns false, having changed
// nothing.
bool leaf_step(struct unwinder *unwinder);
